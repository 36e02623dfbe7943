"""Check-in lines: typed both ways, line by line, by the column, and through compiled kernels."""
