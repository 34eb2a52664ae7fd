"""Export of architectures as training code that needs no automlrank."""
