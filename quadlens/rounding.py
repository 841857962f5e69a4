r"""A-priori rounding bounds for float64, valid for every order of summation.

``u = 2^-53``; a sum of products of length ``k``, in any order and with or without fused operations, is off by at most
``γ_k Σ|x_i y_i| + k η`` with ``γ_k = k u / (1 - k u)`` and ``η`` the smallest subnormal: each of the at most ``k``
roundings that an entry passes through multiplies it by ``1 + δ`` with ``|δ| <= u``, or adds at most ``η/2`` where a
product underflows. Whatever is computed here is itself rounded up.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray

UNIT_ROUNDOFF = 2.0**-53
SMALLEST = 2.0**-1074


def gamma(k: int) -> float:
    """Return ``γ_k = k u / (1 - k u)``, rounded up."""
    if k < 0 or k * UNIT_ROUNDOFF >= 0.5:
        raise ValueError(f"gamma needs 0 <= k < 2^52, got {k}")
    return math.nextafter(k * UNIT_ROUNDOFF / (1 - k * UNIT_ROUNDOFF), math.inf) if k else 0.0


def up(x: FloatArray, operations: int = 1) -> FloatArray:
    """Return an upper bound of the exact non-negative value that ``x`` approximates after ``operations`` roundings.

    Every operation must have been a sum, product or quotient of non-negative numbers (no cancellation).
    """
    return np.nextafter(x * (1 + 2 * gamma(operations + 1)) + operations * SMALLEST, np.inf)


def sum_up(pieces: Mapping[str, Any], operations: int, xp: Any = np) -> Any:
    """Return an upper bound of the exact sum of an error's named pieces, all non-negative.

    Each piece approximates its exact value after roundings that, with those of the sum, number at most ``operations``;
    what underflow can hide, in the pieces and in what they bound, is a piece itself. The names are for the tests:
    each piece is shown to be needed. ``xp`` is the namespace of the pieces that are arrays.
    """
    total: Any = sum(pieces.values())
    scaled = xp.asarray(total * (1 + 2 * gamma(operations + 1)))
    return xp.nextafter(scaled, xp.full_like(scaled, np.inf))
