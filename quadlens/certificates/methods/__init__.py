"""One file per method of ``quadlens.certify``, and what all their certificates say of the network."""
