r"""Harmonics of ``act(H(θ))`` in rigorous balls: every returned ball contains the true value.

The coefficients are floats, hence rational: with ``t = tan(θ/2)`` the polynomial

    q(t) = (1 + t²)^D H = Re Σ_j c_j (1 + it)^{D+j} (1 - it)^{D-j}

has exact rational coefficients. Its real roots are isolated *with their multiplicities* by exact arithmetic
(python-flint), and a missing degree is the multiplicity of the zero at θ = π. So the sign of H on every arc is known
exactly, also at double zeros, and the integral of a trigonometric polynomial over an arc between two enclosed ends is
elementary in balls.

Activations that are analytic (GELU, SiLU, tanh) are integrated by Arb's rigorous quadrature; their poles, if any, are
met as infinite balls and avoided. Piecewise activations never reach it.
"""

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from quadlens.activations import activation_named
from quadlens.errors import OptionError, PrecisionError
from quadlens.quadrature.closed_form import checked_harmonics
from quadlens.quadrature.waveform import checked_coefficients

FIRST_BITS, LAST_BITS = 128, 1 << 13


def harmonic_balls(
    coefficients: npt.ArrayLike,
    harmonics: Sequence[int] | npt.NDArray[np.integer],
    activation: str = "relu",
    *,
    digits: int = 20,
) -> npt.NDArray[np.object_]:
    r"""Return enclosures of ``ĥ_m = (1/2π) ∫ act(H(θ)) e^{-imθ} dθ`` as `flint.acb`, shape ``(..., len(harmonics))``.

    Parameters
    ----------
    coefficients, harmonics, activation
        As for `quadlens.quadrature.closed_form.waveform_harmonics`; the float coefficients are taken as exact.
    digits : int
        Precision is raised until every radius is at most ``10^-digits`` times the largest coefficient's modulus (its
        square for the square).

    Raises
    ------
    PrecisionError
        If that cannot be had with 8192 bits, or the rigorous quadrature does not converge.

    Examples
    --------
    >>> ball = harmonic_balls([0, 1], [2])[0]
    >>> from flint import arb
    >>> bool(ball.real.overlaps(1 / (3 * arb.pi()))), bool(ball.real.rad() < 1e-20)
    (True, True)
    """
    from flint import ctx

    c, m = checked_coefficients(coefficients), [int(order) for order in checked_harmonics(harmonics)]
    if digits < 1:
        raise OptionError(f"digits must be at least 1; got {digits}")
    act = activation_named(activation)
    flat = c.reshape(-1, c.shape[-1])
    out = np.empty((flat.shape[0], len(m)), dtype=np.object_)
    for row, coefficient_row in zip(out, flat, strict=True):
        # degree 2 activations scale with the square; the others at most linearly
        largest = float(np.abs(coefficient_row).max()) or 1.0
        allowed = largest ** (2 if act.degree == 2 else 1) * 10.0**-digits
        exact = [(float(value.real), float(value.imag) if j else 0.0) for j, value in enumerate(coefficient_row)]
        bits = max(FIRST_BITS, int(digits * 3.33) + 64)
        while bits <= LAST_BITS:
            with ctx.workprec(bits):
                row[:] = _harmonics(exact, m, act.name)
            if all(ball.is_finite() and _radius(ball) <= allowed for ball in row):
                break
            bits *= 2
        else:
            raise PrecisionError(
                f"a waveform's harmonics could not be enclosed to {digits} digits with {LAST_BITS} bits; ask for fewer"
            )
    return out.reshape(*c.shape[:-1], len(m))


def _radius(ball: Any) -> float:
    return float(ball.real.rad()) + float(ball.imag.rad())


def _harmonics(c: list[tuple[float, float]], m: list[int], name: str) -> list[Any]:
    from flint import acb

    half = [acb(*pair) / 2 for pair in c]
    h = [value.conjugate() for value in half[:0:-1]] + [acb(c[0][0])] + half[1:]
    if name in ("relu", "abs"):
        transform = _gate_transform(c, range(min(m, default=0) - len(c) + 1, max(m, default=0) + len(c)), name)
        return [_total(h[j + len(c) - 1] * transform[order - j] for j in range(1 - len(c), len(c))) for order in m]
    if name == "square":
        reach = len(c) - 1
        pairs = {n: [(j, n - j) for j in range(-reach, reach + 1) if abs(n - j) <= reach] for n in m}
        return [_total(h[j + reach] * h[l + reach] for j, l in pairs[n]) for n in m]
    return [_integral(h, order, _analytic(name)) for order in m]


def _total(terms: Any) -> Any:
    from flint import acb

    total = acb(0)
    for term in terms:
        total += term
    return total


def _half_angle_polynomial(c: list[tuple[float, float]]) -> Any:
    """Return q up to a positive factor, as an exact integer polynomial."""
    from flint import fmpq, fmpq_poly

    degree, parts = len(c) - 1, [fmpq(0)] * (2 * len(c) - 1)
    for j, (real, imaginary) in enumerate(c):
        re, im = fmpq(*real.as_integer_ratio()), fmpq(*imaginary.as_integer_ratio())
        for n, (even, odd) in enumerate(_gaussian_coefficients(degree + j, degree - j)):
            parts[n] += re * even - im * odd
    return fmpq_poly(parts).numer()


def _gaussian_coefficients(up: int, down: int) -> list[tuple[int, int]]:
    """Return the coefficients ``x + iy`` of ``(1 + it)^up (1 - it)^down`` as integer pairs."""
    out = []
    for n in range(up + down + 1):
        size = sum(comb(up, n - l) * comb(down, l) * (-1) ** l for l in range(max(0, n - up), min(n, down) + 1))
        out.append([(size, 0), (0, size), (-size, 0), (0, -size)][n % 4])
    return out


def _gate_transform(c: list[tuple[float, float]], orders: range, name: str) -> dict[int, Any]:
    """Return ``ĝ_n = (1/2π) ∫ g e^{-inθ} dθ`` in balls, g the gate (ReLU) or the sign (|x|) of H."""
    from flint import acb, arb

    q = _half_angle_polynomial(c)
    degree = q.degree()
    if degree < 0:
        return {n: acb(0) for n in orders}
    real = [(t.real, multiplicity) for t, multiplicity in q.complex_roots() if t.imag.is_zero()] if degree else []
    real.sort(key=lambda root: root[0].mid())
    sign = (1 if q[degree] > 0 else -1) * (-1) ** degree  # as t → -∞, just after θ = -π
    pi, i = arb.pi(), acb(0, 1)
    # (θ, e^{iθ}) at the ends of the arcs
    ends = [(-pi, acb(-1)), *((2 * t.atan(), (1 + i * t) / (1 - i * t)) for t, _ in real), (pi, acb(-1))]
    gates = []
    for _, multiplicity in [*real, (None, 0)]:
        gates.append(sign if name == "abs" else int(sign > 0))
        sign *= (-1) ** multiplicity
    out = {}
    for n in orders:
        values = [acb(theta) if n == 0 else i * z ** (-n) / n for theta, z in ends]
        out[n] = _total(g * (b - a) for g, a, b in zip(gates, values[:-1], values[1:], strict=True)) / (2 * pi)
    return out


def _analytic(name: str) -> Callable[[Any], Any]:
    from flint import acb, arb

    half = acb(1) / 2
    known: dict[str, Callable[[Any], Any]] = {
        "gelu": lambda x: x * half * (1 + (x * arb(half.real).sqrt()).erf()),
        "gelu_tanh": lambda x: x * half * (1 + ((2 / arb.pi()).sqrt() * (x + arb(0.044715) * x**3)).tanh()),
        "silu": lambda x: x * half * (1 + (x * half).tanh()),
        "tanh": lambda x: x.tanh(),
        "sin": lambda x: x.sin(),
    }
    if name not in known:
        raise OptionError(f"balls know {', '.join(known)}, square and the piecewise linear, not {name}")
    return known[name]


def _integral(h: list[Any], order: int, act: Callable[[Any], Any]) -> Any:
    from flint import acb, arb

    reach, i, pi = len(h) // 2, acb(0, 1), arb.pi()

    def integrand(theta: Any, _analytic_flag: bool) -> Any:
        # analytic in the whole plane but for poles of act, where a ball is infinite: nothing to test
        z = (i * theta).exp()
        waveform = _total(value * z**j for j, value in zip(range(-reach, reach + 1), h, strict=True))
        return act(waveform) * z**-order

    return acb.integral(integrand, -pi, pi) / (2 * pi)
