"""Statistics: target rates and counts that the encoder computed become fields or logits."""
