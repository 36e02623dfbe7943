"""History items: check-in and text form into states and events."""
