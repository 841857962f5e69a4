"""Where numbers run: numpy or torch behind one namespace, blocks of work, compiled loops."""
