"""The Optuna study of a run: sampling, pruning, trials; only this room imports Optuna."""
