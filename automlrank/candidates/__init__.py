"""Models of a leaderboard: measurement and training of one architecture or one baseline."""
