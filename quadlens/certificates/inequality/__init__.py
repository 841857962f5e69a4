"""The inequalities of docs/certificates.md, each evaluated once: the pass, (L), (G′), the remainder, rounding."""
