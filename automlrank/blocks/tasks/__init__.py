"""Task structures: they turn one vector into one per task."""
