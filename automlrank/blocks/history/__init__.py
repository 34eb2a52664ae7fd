"""History encoders: a sequence of behaviours becomes one vector."""
