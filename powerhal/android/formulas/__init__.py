"""Android's own formulas, era by era, as a reference model."""
