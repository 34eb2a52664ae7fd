"""Reports of a run: the leaderboard, tables, figures, HTML and Markdown pages."""
