"""The search-space DSL: expressions of blocks and choices, in YAML or Python."""
