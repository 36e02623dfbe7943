"""What a recording says: windows, energy of measured rails, activities of devices and processes."""
