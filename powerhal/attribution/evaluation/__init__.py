"""How right is the attribution: real measured rails, programs the model has never seen, honest intervals."""
