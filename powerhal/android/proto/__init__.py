"""`dumpsys batterystats --proto`."""
