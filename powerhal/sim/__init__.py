"""A board that is not there: emulated chips on an emulated bus, a simulated kernel, known truth."""
