"""Trials are drawn, measured, trained and recorded; only this package imports Optuna."""
