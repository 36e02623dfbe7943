"""Power profiles of any vendor: read, checked, named."""
