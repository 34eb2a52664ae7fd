"""Balances: the tasks' losses become the one that is minimised."""
