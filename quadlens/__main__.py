"""``python -m quadlens`` is the command line."""

from quadlens.start import main

main()
