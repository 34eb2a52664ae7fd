"""Statistics blocks: they turn the encoder's target rates and counts into fields or logits."""
