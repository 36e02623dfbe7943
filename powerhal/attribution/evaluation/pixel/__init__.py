"""A phone with measured rails: its components' power from what it did, learned from few labelled runs."""
