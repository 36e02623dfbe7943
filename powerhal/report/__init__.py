"""Views of a recording and its ledger: one-file HTML, tables to export."""
