"""Gates: they reweight the fields, which keep their shape."""
