"""``python -m automlrank`` is the command ``automlrank``."""

from automlrank.cli import main

main()
