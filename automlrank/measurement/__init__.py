"""Metrics, their uncertainty, and latency."""
