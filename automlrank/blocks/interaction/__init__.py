"""Interactions between the fields."""
