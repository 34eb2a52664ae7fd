"""Models: an architecture is wired into a plan, which is counted, built and printed."""
