"""Optimizers that blocks name for parameters of their own."""
