"""Who gets the joules: measured energy to devices, idle, processes or nobody, until the books balance."""
