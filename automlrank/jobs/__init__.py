"""Functions behind the commands, for scripts and notebooks too."""
