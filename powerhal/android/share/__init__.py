"""What leaves the house: differences, tables, pseudonyms, and dumps in the form that Battery Historian reads."""
