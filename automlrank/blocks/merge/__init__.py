"""Merges: they combine the vectors of parallel branches into one."""
