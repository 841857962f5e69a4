"""The response ``|h_2|`` over delta of the locked waveform, enclosed in balls: at a point, and over a whole quarter
turn.

At a point the integral is cut at the zeros of the waveform, which is a quadratic in ``cos t``. Between points the
response is Lipschitz: ``|d h_2 / d delta|`` is at most the mean of ``|2 sin(delta) cos t cos 2t| + |4 sigma sin(2
delta) cos^2 2t|``, hence ``4/3 + 2 sigma``.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint

from quadlens.errors import PrecisionError

BITS = 128
DEEPEST = 40
Box = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
"""Ranges of sigma and of kappa."""


def response_at(sigma: Any, kappa: Any, delta: Any) -> Any:
    """Return a ball that contains the mean of ``ReLU(2 cos(delta) cos t - 2 sigma cos(2 delta) cos 2t + kappa) cos
    2t``.
    """
    C, g = delta.cos(), sigma * (2 * delta).cos()
    zeros = sorted(_crossings(C, g, kappa), key=lambda ball: float(ball.mid()))
    edges = [flint.arb(0), *zeros, flint.arb.pi()]
    total = flint.arb(0)
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        height = 2 * C * middle.cos() - 2 * g * (2 * middle).cos() + kappa
        if height > 0:
            total += _primitive(C, g, kappa, high) - _primitive(C, g, kappa, low)
        elif not height < 0:
            raise PrecisionError(f"the sign of the waveform at {middle} is not certain: take another delta")
    return total / flint.arb.pi()


def _primitive(C: Any, g: Any, kappa: Any, t: Any) -> Any:
    return C * (t.sin() + (3 * t).sin() / 3) - g * (t + (4 * t).sin() / 4) + kappa * (2 * t).sin() / 2


def _crossings(C: Any, g: Any, kappa: Any) -> list[Any]:
    """Return the zeros in (0, pi): those of ``4 g u^2 - 2 C u - (2 g + kappa)`` with ``u = cos t`` in (-1, 1)."""
    discriminant = C**2 + 4 * g * (2 * g + kappa)
    if discriminant < 0:
        return []
    if not discriminant > 0 or g.contains(0):
        raise PrecisionError("the zeros are not separated: take another delta")
    # The smaller root by the product of the roots, so that nothing cancels.
    first = (C + discriminant.sqrt() if C >= 0 else C - discriminant.sqrt()) / (4 * g)
    roots = [first, -(2 * g + kappa) / (4 * g) / first]
    inside = []
    for root in roots:
        if abs(root) < 1:
            inside.append(root.acos())
        elif not abs(root) > 1:
            raise PrecisionError("a zero at an end of the circle: take another delta")
    return inside


def response_range(sigma: Any, kappa: Any, points: int) -> tuple[Any, Any]:
    """Return arbs below and above the response at every delta in ``[0, pi/2]``: by the values at midpoints and the
    slope.
    """
    with flint.ctx.workprec(BITS):
        spacing = flint.arb.pi() / 2 / points
        slack = (flint.arb(4) / 3 + 2 * sigma) * spacing / 2
        values = [response_at(sigma, kappa, spacing * (flint.arb(index) + flint.arb("0.5"))) for index in range(points)]
        return _least(values) - slack, -_least([-value for value in values]) + slack


def _least(values: Sequence[Any]) -> Any:
    least = values[0]
    for value in values[1:]:
        least = least.min(value)
    return least


def flatness_at_most(ratio: Any, deltas: Sequence[Any], box: Box, *, hole: Box | None = None) -> int:
    """Show that least over largest response is below ``ratio`` at every (sigma, kappa) of ``box`` outside ``hole``.

    Already the responses at ``deltas`` show it: the box is halved until, in each part, two of them do. Between the
    middle of a part and its points the response moves by at most ``|d sigma| + 2/pi |d kappa|``. Returns the number
    of parts.

    Raises
    ------
    PrecisionError
        If a part stays undecided: the claim may be false there.
    """
    parts = 0
    waiting = [(box, 0)]
    with flint.ctx.workprec(BITS):
        while waiting:
            part, depth = waiting.pop()
            if hole is not None and _inside(part, hole):
                continue
            if _is_uneven(ratio, deltas, part):
                parts += 1
                continue
            if depth == DEEPEST:
                raise PrecisionError(f"the part {part} stays undecided: the response may be flatter there")
            waiting += [(half, depth + 1) for half in _halves(part)]
    return parts


def _is_uneven(ratio: Any, deltas: Sequence[Any], part: Box) -> bool:
    (s0, s1), (k0, k1) = part
    sigma, kappa = (_number((a + b) / 2) for a, b in part)
    move = _number((s1 - s0) / 2) + 2 / flint.arb.pi() * _number((k1 - k0) / 2)
    sizes = []
    for delta in deltas:
        try:
            sizes.append(abs(response_at(sigma, kappa, delta)))
        except PrecisionError:
            continue
    return any(one + move < ratio * (other - move) for one in sizes for other in sizes)


def _number(value: Fraction) -> Any:
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def _inside(part: Box, hole: Box) -> bool:
    return all(low <= a and b <= high for (a, b), (low, high) in zip(part, hole, strict=True))


def _halves(part: Box) -> tuple[Box, Box]:
    (s0, s1), (k0, k1) = part
    if s1 - s0 >= (k1 - k0) * 2 / 3:
        middle = (s0 + s1) / 2
        return ((s0, middle), (k0, k1)), ((middle, s1), (k0, k1))
    middle = (k0 + k1) / 2
    return ((s0, s1), (k0, middle)), ((s0, s1), (middle, k1))
