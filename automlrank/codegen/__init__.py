"""Architectures as training code that needs no automlrank."""
