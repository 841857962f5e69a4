"""How far the MLP is from an ideal: docs/certificates.md, "The MLP's error"."""
