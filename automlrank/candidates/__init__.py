"""Measuring and training one candidate: an architecture, or a baseline it is compared with."""
