"""Modules of an export's ``train.py`` that are not used here: its command line and its reader."""
