"""``python -m quadlens`` is the command line."""

from quadlens.cli import main

main()
