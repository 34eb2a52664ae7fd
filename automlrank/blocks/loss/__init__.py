"""Losses: one value per task from logits and labels."""
