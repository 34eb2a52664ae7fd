"""Spaces and published models, shipped with the package."""
