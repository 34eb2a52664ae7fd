"""Modules that only exports use: the command line of ``train.py`` and its table reader."""
