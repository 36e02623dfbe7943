"""What Android phones print about power: dumps, profiles and rails, read and written."""
