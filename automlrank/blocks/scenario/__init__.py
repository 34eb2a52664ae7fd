"""Scenario structures: model parts that differ between scenarios, the places items are shown."""
