"""Board descriptions: what is there, told in YAML, and how it becomes open sources."""
