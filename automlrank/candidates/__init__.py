"""Candidates of a leaderboard: measures and trains one architecture, or one baseline."""
