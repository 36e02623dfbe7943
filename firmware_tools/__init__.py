"""Bring-up tools and microcontroller sources above powerhal's public API."""
