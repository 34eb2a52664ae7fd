"""The Optuna study of a run: sampling, pruning, trials."""
