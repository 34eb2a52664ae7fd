"""Boosted trees by LightGBM: a baseline, and the teacher of distillation."""
