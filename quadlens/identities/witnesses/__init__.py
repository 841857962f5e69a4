"""Numeric witnesses of the stored statements: four routes that share no code with the proofs, and none with each other.

`sampling` draws exact parameters; `multiprecision` (mpmath, 30 digits), `float64` (scipy), `finite_sums` (numpy, n
and 2n points) and `balls` (python-flint) each evaluate both sides and raise `DerivationError` where they disagree. A
witness proves nothing.
"""
