"""Merges: the vectors of parallel branches become one."""
