"""Sums, maxima, norms and roots of unity in balls, each sure to contain the exact value or to lie above it."""

from dataclasses import dataclass
from typing import Any

import flint


@dataclass(frozen=True, kw_only=True)
class Roots:
    """``cos`` and ``sin`` of ``2πj/order`` in balls, ``j = 0 … order − 1``."""

    cos: list[Any]
    sin: list[Any]

    def at(self, j: int) -> Any:
        """Return the root as one complex ball."""
        return flint.acb(self.cos[j], self.sin[j])


def roots_of_unity(order: int) -> Roots:
    """Return the table of the roots of unity of an order."""
    pairs = [flint.arb.sin_cos_pi_fmpq(flint.fmpq(2 * j, order)) for j in range(order)]
    return Roots(cos=[cos for _, cos in pairs], sin=[sin for sin, _ in pairs])


def total(balls: list[Any]) -> Any:
    """Return the sum, 0 where there is nothing to add."""
    return sum(balls, flint.arb(0))


def squares(balls: list[Any]) -> Any:
    """Return the sum of squares; python-flint's power of a ball around zero is not a number, its product is."""
    return total([ball * ball for ball in balls])


def largest(balls: list[Any]) -> Any:
    """Return a ball of the maximum."""
    out = balls[0]
    for ball in balls[1:]:
        out = out.max(ball)
    return out


def smallest(balls: list[Any]) -> Any:
    """Return a ball of the minimum."""
    out = balls[0]
    for ball in balls[1:]:
        out = out.min(ball)
    return out


def root(square: Any) -> Any:
    """Return an upper bound of the root of a sum of squares, whose ball may reach below zero."""
    return square.abs_upper().sqrt()
