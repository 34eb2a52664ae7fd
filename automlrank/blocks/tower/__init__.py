"""Towers: the last layers of each task."""
