"""On-device rails: ODPM, `dumpsys powerstats`, Perfetto, in the words of the Power Stats HAL."""
