r"""Integrals of a waveform's activation in balls, by bisection of the circle: the ideals of ``mlp`` certificates.

    ĥ_2(d) = (1/2π) ∫_{−π}^{π} h(H_d(θ)) e^{−2iθ} dθ,       h(x) = x for x > 0, αx else
    H_d(θ) = Re[ (e_A e^{iωkd} + e_B) e^{iθ} + (s_A e^{2iωkd} + s_B) e^{2iθ} ] + κ

An arc on which H keeps its sign has an antiderivative in closed form. One on which that is not known is halved; where
``|H|`` times its width is below ``SMALL``, it is left with a ball of that radius (|α| ≤ 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.checker.balls import Roots

PIECES = 16
"""Arcs that the circle is cut into at first."""

SMALL = flint.arb(2) ** -90
"""Of the largest coefficient: what an arc whose sign is not known may weigh."""

MAX_ARCS = 10**5


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """``H(θ) = c_0 + Re(c_1 e^{iθ} + c_2 e^{2iθ})`` in balls; ``c_0`` is real."""

    c: tuple[Any, Any, Any]

    def range_on(self, q: Any, width: Any) -> Any:
        """Return a ball of H on the arc from ``πq`` to ``π(q + width)``: its value in the middle and its slope."""
        middle = q + width / 2
        half = flint.arb.pi() * flint.arb(width) / 2
        radius = flint.arb(0, half.upper())
        wide = flint.arb.pi() * flint.arb(middle) + radius
        sin, cos = wide.sin_cos()
        sin_2, cos_2 = (2 * wide).sin_cos()
        slope = -(self.c[1].real * sin + self.c[1].imag * cos) - 2 * (self.c[2].real * sin_2 + self.c[2].imag * cos_2)
        return self.at(middle) + slope * radius

    def at(self, q: Any) -> Any:
        """Return ``H(πq)``."""
        sin, cos = flint.arb.sin_cos_pi_fmpq(q)
        sin_2, cos_2 = flint.arb.sin_cos_pi_fmpq(2 * q)
        first = self.c[1].real * cos - self.c[1].imag * sin
        return self.c[0].real + first + self.c[2].real * cos_2 - self.c[2].imag * sin_2

    def antiderivative(self, q: Any) -> Any:
        """Return an antiderivative of ``H(θ) e^{−2iθ}`` at ``πq``."""
        i = flint.acb(0, 1)
        half = [self.c[2].conjugate() / 2, self.c[1].conjugate() / 2, self.c[0], self.c[1] / 2, self.c[2] / 2]
        total = half[4] * flint.arb.pi() * flint.arb(q)
        for order in (1, 2, 3, 4):
            sin, cos = flint.arb.sin_cos_pi_fmpq(-order * q)
            total += half[4 - order] * flint.acb(cos, sin) * i / order
        return total


def second_harmonic(waveform: Waveform, slope: Any) -> Any:
    """Return ``ĥ_2`` of ``h(H)``, h of slope ``α`` below 0."""
    arcs = sorted(_arcs(waveform), key=lambda arc: arc[0])
    total, place = flint.acb(0), 0
    while place < len(arcs):
        start, width, sign, weight = arcs[place]
        stop = start + width
        place += 1
        if sign == 0:
            total += flint.acb(flint.arb(0, weight.upper()), flint.arb(0, weight.upper()))
            continue
        while place < len(arcs) and arcs[place][2] == sign:
            stop = arcs[place][0] + arcs[place][1]
            place += 1
        piece = waveform.antiderivative(stop) - waveform.antiderivative(start)
        total += piece if sign > 0 else flint.arb(slope) * piece
    return total / (2 * flint.arb.pi())


def _arcs(waveform: Waveform) -> list[tuple[Any, Any, int, Any]]:
    """Return arcs ``(q, width, sign, |H| times length)`` that make up the circle, sign 0 where it is not known."""
    most = sum((abs(c) for c in waveform.c), flint.arb(0))
    todo = [(flint.fmpq(2 * j, PIECES) - 1, flint.fmpq(2, PIECES)) for j in range(PIECES)]
    found = []
    while todo:
        q, width = todo.pop()
        H = waveform.range_on(q, width)
        weight = H.abs_upper() * flint.arb.pi() * flint.arb(width)
        if H > 0 or H < 0:
            found.append((q, width, 1 if H > 0 else -1, weight))
        elif weight <= SMALL * most or len(found) > MAX_ARCS:
            found.append((q, width, 0, weight))
        else:
            todo += [(q, width / 2), (q + width / 2, width / 2)]
    return found


def waveform_of(numbers: Mapping[str, Any], d: int, p: int, roots: Roots) -> Waveform:
    """Return ``H_d`` of an ideal's numbers at one frequency."""
    k = numbers["frequency"]
    e_A, e_B, s_A, s_B = (flint.acb(*numbers[name]) for name in ("e_A", "e_B", "s_A", "s_B"))
    first, second = roots.at(k * d % p), roots.at(2 * k * d % p)
    return Waveform(c=(flint.acb(numbers["kappa"]), e_A * first + e_B, s_A * second + s_B))
