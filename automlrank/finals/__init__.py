"""Finalists: chosen, retrained with fresh seeds, scored on the test split, compared."""
