"""A model: a plan of named steps, wired from an architecture, run by a torch module."""
