"""A run on disk: its folder, its records and results, its settings and events."""
