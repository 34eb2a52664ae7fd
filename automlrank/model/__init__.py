"""Model of an architecture: wired once into a plan, which is counted, built and printed."""
