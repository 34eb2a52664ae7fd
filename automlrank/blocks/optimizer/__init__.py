"""Optimizers that a block can declare for single parameters."""
