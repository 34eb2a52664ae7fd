"""Interactions: what the fields say together."""
