"""The second harmonic of ReLU of ``2 C cos t - 2 g cos 2t + kappa``, enclosed in a ball at exact parameters.

The integral is cut at the zeros of the waveform, which is a quadratic in ``cos t``; between them it is an elementary
function, whose derivative the tests check.
"""

from itertools import pairwise
from typing import Any

import flint

from quadlens.errors import PrecisionError


def second_harmonic(C: Any, g: Any, kappa: Any) -> Any:
    """Return a ball that contains the integral of ``ReLU(2 C cos t - 2 g cos 2t + kappa) cos 2t`` over a turn.

    Raises
    ------
    PrecisionError
        If two zeros, or a zero and an end of the half turn, cannot be told apart: take other parameters.
    """
    zeros = sorted(_crossings(C, g, kappa), key=lambda ball: float(ball.mid()))
    edges = [flint.arb(0), *zeros, flint.arb.pi()]
    total = flint.arb(0)
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        height = 2 * C * middle.cos() - 2 * g * (2 * middle).cos() + kappa
        if height > 0:
            total += primitive(C, g, kappa, high) - primitive(C, g, kappa, low)
        elif not height < 0:
            raise PrecisionError(f"the sign of the waveform at {middle} is not certain: take other parameters")
    return 2 * total


def primitive(C: Any, g: Any, kappa: Any, t: Any) -> Any:
    """Return an antiderivative of the waveform times ``cos 2t``."""
    return C * (t.sin() + (3 * t).sin() / 3) - g * (t + (4 * t).sin() / 4) + kappa * (2 * t).sin() / 2


def _crossings(C: Any, g: Any, kappa: Any) -> list[Any]:
    """Return the zeros in (0, pi): those of ``4 g u^2 - 2 C u - (2 g + kappa)`` with ``u = cos t`` in (-1, 1)."""
    discriminant = C**2 + 4 * g * (2 * g + kappa)
    if discriminant < 0:
        return []
    if not discriminant > 0 or g.contains(0):
        raise PrecisionError("the zeros are not separated: take other parameters")
    # The smaller root by the product of the roots, so that nothing cancels.
    first = (C + discriminant.sqrt() if C >= 0 else C - discriminant.sqrt()) / (4 * g)
    roots = [first, -(2 * g + kappa) / (4 * g) / first]
    inside = []
    for root in roots:
        if abs(root) < 1:
            inside.append(root.acos())
        elif not abs(root) > 1:
            raise PrecisionError("a zero at an end of the circle: take other parameters")
    return inside
