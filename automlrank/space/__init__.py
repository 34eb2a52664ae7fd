"""Search spaces: expressions of blocks and choices, in YAML or Python."""
