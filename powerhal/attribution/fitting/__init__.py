"""What it says of coefficients: one regression over all rails, its priors, its doubts, its drifts."""
