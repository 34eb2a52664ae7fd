"""Run the command ``automlrank`` as ``python -m automlrank``."""

from automlrank.cli import main

main()
