"""Integers and enclosures: what is evaluated without a rounding, or with a proved bound on it."""
