r"""Values of the activations with a proved error: no trust in the accuracy of a mathematical library.

ReLU, |x| and x² are evaluated by exact operations or one rounding. GELU, SiLU, tanh and sin are evaluated by Taylor
polynomials around multiples of
``2^-6``, their coefficients and the remainder enclosed in balls; beyond ``|x| = 40`` a sine is within [−1, 1], and the
others are their asymptote to within ``40 e^-40``:

- ``1 − tanh x = 2/(e^{2x} + 1)`` and ``x σ(−x) ≤ x e^{-x}``, which decrease for ``x ≥ 1``;
- ``x Φ(−x) ≤ e^{-x²/2}/√(2π) ≤ x e^{-x}`` (Mills' ratio), for ``x ≥ 2``;
- the tanh form of GELU is ``x σ(2 √(2/π)(x + 0.044715 x³))`` and that argument is above ``x``.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.errors import CertificateError
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma, up

BY_TAYLOR = ("gelu", "gelu_tanh", "silu", "tanh", "sin")
"""The smooth activations with a bounded slope that are enclosed."""

ENCLOSED = ("relu", "abs", "square", *BY_TAYLOR)
REACH = 40
STEPS = 64
DEGREE = 8
PRECISION = 128
TAIL = 1.75e-16
"""At least ``40 e^-40``."""


def enclosed_activation(name: str, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``y`` and ``e`` with ``|act(x) − y| ≤ e`` for every entry; ``x`` must be finite.

    An overflow gives an infinite ``y``, which the caller must refuse.

    Raises
    ------
    CertificateError
        If there is no enclosure of this activation.
    """
    if name == "relu":
        return np.maximum(x, 0.0), np.zeros(x.shape)
    if name == "abs":
        return np.abs(x), np.zeros(x.shape)
    if name == "square":
        with np.errstate(over="ignore", under="ignore"):
            y = x * x
            return y, np.nextafter(UNIT_ROUNDOFF * y + SMALLEST, np.inf)
    coefficients, remainder = _taylor(name)
    inside = np.abs(x) <= REACH
    clipped = np.where(inside, x, 0.0)
    nearest = np.rint(clipped * STEPS)
    # the node is within a factor 2 of x or is 0, so the difference is exact
    t = clipped - nearest / STEPS
    rows = (nearest + REACH * STEPS).astype(np.int64)
    with np.errstate(under="ignore"):
        y = np.take(coefficients[:, DEGREE - 1], rows)
        size = np.abs(y)
        for order in range(DEGREE - 2, 0, -1):
            c = np.take(coefficients[:, order], rows)
            y = y * t + c
            size = size * np.abs(t) + np.abs(c)
        # Horner's rule with rounded coefficients: three roundings for each order; the constant term meets two of them
        c = np.take(coefficients[:, 0], rows)
        error = up(gamma(4) * np.abs(c) + gamma(4 * DEGREE) * size * np.abs(t) + np.take(remainder, rows), 6 * DEGREE)
        y = y * t + c
    low, high = {"tanh": (-1.0, 1.0), "sin": (0.0, 0.0)}.get(name, (0.0, x))
    y = np.where(inside, y, np.where(x > 0, high, low))
    # a sine has no asymptote: beyond the nodes it is between -1 and 1
    beyond = 1.0 if name == "sin" else TAIL
    return y, np.nextafter(np.where(inside, error, beyond), np.inf)


@lru_cache(maxsize=8)
def _taylor(name: str) -> tuple[FloatArray, FloatArray]:
    """Return Taylor coefficients at every node, shape (node, DEGREE), and a bound on remainder, radii and underflow."""
    import flint

    nodes = range(-REACH * STEPS, REACH * STEPS + 1)
    coefficients = np.zeros((len(nodes), DEGREE))
    remainder = np.zeros(len(nodes))
    half = flint.arb(1) / (2 * STEPS)
    function = _series(name)
    with _precision(PRECISION):
        for row, node in enumerate(nodes):
            center = flint.arb(node) / STEPS
            exact = function(flint.arb_series([center, 1], prec=DEGREE + 1))
            wide = function(flint.arb_series([center + flint.arb(0, half), 1], prec=DEGREE + 1))
            coefficients[row] = [float(exact[k].mid()) for k in range(DEGREE)]
            left_out = abs(wide[DEGREE]) * half**DEGREE
            for k in range(DEGREE):
                left_out += exact[k].rad() * half**k
            remainder[row] = float(left_out.upper()) * (1 + 2.0**-40) + 2.0**-1000
    coefficients.flags.writeable = remainder.flags.writeable = False
    return coefficients, remainder


def _series(name: str) -> Callable[[Any], Any]:
    import flint

    def tanh(x: Any) -> Any:
        return 1 - 2 / ((2 * x).exp() + 1)

    def silu(x: Any) -> Any:
        return x / (1 + (-x).exp())

    def gelu(x: Any) -> Any:
        return x * (1 + (x * (flint.arb(1) / 2).sqrt()).erf()) / 2

    def gelu_tanh(x: Any) -> Any:
        inner = (2 / flint.arb.pi()).sqrt() * (x + flint.arb("0.044715") * x * x * x)
        return x * (1 + tanh(inner)) / 2

    known: dict[str, Callable[[Any], Any]] = {
        "tanh": tanh, "silu": silu, "gelu": gelu, "gelu_tanh": gelu_tanh, "sin": lambda x: x.sin(),
    }
    if name not in known:
        raise CertificateError(f"brute-force needs proved values of the activation and has none of {name}")
    return known[name]


def _precision(bits: int) -> Any:
    import flint

    return flint.ctx.workprec(bits)
