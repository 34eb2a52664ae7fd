"""Task structures: one vector becomes one per task."""
