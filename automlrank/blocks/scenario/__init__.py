"""Scenario structures: what differs between the places where items are shown."""
