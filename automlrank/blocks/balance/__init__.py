"""Balances: they combine the tasks' losses into the one loss that is minimised."""
