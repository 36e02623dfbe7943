"""From what was seen to who used it: design -> model -> ledger."""
