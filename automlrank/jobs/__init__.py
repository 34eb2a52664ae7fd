"""The plain functions behind the commands: what a notebook calls."""
