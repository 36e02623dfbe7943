"""The text that people read: `dumpsys batterystats` old and new."""
