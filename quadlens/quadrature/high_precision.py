r"""Harmonics of ``act(H(θ))`` to any number of digits, with mpmath, one waveform at a time.

Piecewise linear activations: the breaks are the arguments of *all* roots of ``Σ_j h_j z^{j+D}``, on the unit circle or
not; between two breaks the sign of H is read off at the middle, and a break that is none is harmless. Smooth ones: the
trapezoid rule, doubled until it no longer moves. Nothing here is proved (see `quadlens.quadrature.balls`); the working
precision belongs to a private context.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from quadlens.activations import activation_named
from quadlens.errors import OptionError, PrecisionError
from quadlens.quadrature.closed_form import checked_harmonics
from quadlens.quadrature.waveform import checked_coefficients

LARGEST_TRAPEZOID = 1 << 14


def harmonics_to_digits(
    coefficients: npt.ArrayLike,
    harmonics: Sequence[int] | npt.NDArray[np.integer],
    activation: str = "relu",
    *,
    digits: int = 30,
) -> npt.NDArray[np.object_]:
    r"""Return ``ĥ_m = (1/2π) ∫ act(H(θ)) e^{-imθ} dθ`` as mpmath numbers, shape ``(..., len(harmonics))``.

    Parameters
    ----------
    coefficients, harmonics, activation
        As for `quadlens.quadrature.closed_form.waveform_harmonics`; the float coefficients are taken as exact.
    digits : int
        Decimal digits, relative to the largest coefficient.

    Raises
    ------
    PrecisionError
        If the roots or the trapezoid rule do not settle.

    Examples
    --------
    >>> str(harmonics_to_digits([0, 1], [2], digits=40)[0].real)[:42]
    '0.1061032953945968905125891755816762413563'
    """
    import mpmath

    c, m = checked_coefficients(coefficients), [int(order) for order in checked_harmonics(harmonics)]
    if digits < 1:
        raise OptionError(f"digits must be at least 1; got {digits}")
    act = activation_named(activation)
    mp = mpmath.mp.clone()
    mp.dps = digits + 15
    flat = c.reshape(-1, c.shape[-1])
    out = np.empty((flat.shape[0], len(m)), dtype=np.object_)
    for row, coefficient_row in zip(out, flat, strict=True):
        scale = float(np.abs(coefficient_row).max()) or 1.0
        half = [mp.mpc(value.real, value.imag) / 2 for value in coefficient_row]
        h = [mp.conj(value) for value in half[:0:-1]] + [mp.mpf(coefficient_row[0].real)] + half[1:]
        if act.name in ("relu", "abs"):
            row[:] = _piecewise(mp, h, m, absolute=act.name == "abs", scale=scale)
        else:
            row[:] = _trapezoid(mp, h, m, _smooth(mp, act.name), digits)
    return out.reshape(*c.shape[:-1], len(m))


def _value(mp: Any, h: list[Any], theta: Any) -> Any:
    z, reach = mp.expj(theta), len(h) // 2
    return mp.fsum(value * z ** (index - reach) for index, value in enumerate(h)).real


def _breaks(mp: Any, h: list[Any], scale: float) -> list[Any]:
    # a coefficient this small moves the integrand by less than the digits asked for, and would only slow the root
    # finder
    negligible = scale * mp.mpf(10) ** -mp.dps
    while len(h) > 1 and abs(h[-1]) <= negligible:
        h = h[1:-1]
    if len(h) == 1:
        return []
    # the integrand vanishes at a break: an error there enters squared, so 0.6 of the digits is more than enough
    with mp.workprec(int(0.6 * mp.prec)):
        try:
            roots = mp.polyroots(h[::-1], maxsteps=500, extraprec=mp.prec)
        except mp.NoConvergence:
            try:
                roots = mp.polyroots(_each_root_once(mp, h), maxsteps=5000, extraprec=mp.prec)
            except mp.NoConvergence as error:
                raise PrecisionError("the roots of a waveform did not converge; ask for fewer digits") from error
    return sorted(mp.arg(root) for root in roots)


def _each_root_once(mp: Any, h: list[Any]) -> list[Any]:
    """Return a polynomial, highest power first, with the roots of ``sum h_j z^j``, each once.

    The coefficients are floats, so dividing by the gcd with the derivative is exact: a zero where the waveform only
    touches 0 is a multiple root, to which no iteration converges fast.
    """
    from sympy import QQ_I, I, Poly, Rational, Symbol

    exact = [Rational(float(value.real)) + I * Rational(float(value.imag)) for value in reversed(h)]
    parts = (value.as_real_imag() for value in Poly(exact, Symbol("z"), domain=QQ_I).sqf_part().all_coeffs())
    return [mp.mpc(mp.mpf(int(x.p)) / int(x.q), mp.mpf(int(y.p)) / int(y.q)) for x, y in parts]


def _piecewise(mp: Any, h: list[Any], m: list[int], *, absolute: bool, scale: float) -> list[Any]:
    reach, ends = len(h) // 2, [-mp.pi, *_breaks(mp, h, scale), +mp.pi]
    totals = [mp.mpc(0) for _ in m]
    for a, b in pairwise(ends):
        positive = _value(mp, h, (a + b) / 2) > 0
        if not positive and not absolute:
            continue
        z_a, z_b = mp.expj(a), mp.expj(b)
        for index, order in enumerate(m):
            piece = mp.mpc(0)
            for place, value in enumerate(h):
                n = place - reach - order
                piece += value * ((z_b**n - z_a**n) / mp.mpc(0, n) if n else b - a)
            totals[index] += piece if positive else -piece
    return [total / (2 * mp.pi) for total in totals]


def _smooth(mp: Any, name: str) -> Callable[[Any], Any]:
    functions: dict[str, Callable[[Any], Any]] = {
        "square": lambda x: x * x,
        "gelu": lambda x: x * mp.ncdf(x),
        "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3))),
        "silu": lambda x: x / (1 + mp.exp(-x)),
        "tanh": mp.tanh,
        "sin": mp.sin,
    }
    if name not in functions:
        raise OptionError(f"high precision knows {', '.join(functions)} and the piecewise linear, not {name}")
    return functions[name]


def _trapezoid(mp: Any, h: list[Any], m: list[int], act: Callable[[Any], Any], digits: int) -> list[Any]:
    points = 1 << (4 * max(len(h), *(abs(order) for order in m), 4)).bit_length() if m else 2
    last: list[Any] | None = None
    while points <= LARGEST_TRAPEZOID:
        angles = [2 * mp.pi * j / points for j in range(points)]
        values = [act(_value(mp, h, theta)) for theta in angles]
        fresh = []
        for order in m:
            terms = (v * mp.expj(-order * theta) for v, theta in zip(values, angles, strict=True))
            fresh.append(mp.fsum(terms) / points)
        largest = max(abs(v) for v in values) or mp.mpf(1)
        allowed = largest * mp.mpf(10) ** -digits
        if last is not None and all(abs(x - y) <= allowed for x, y in zip(fresh, last, strict=True)):
            return fresh
        last, points = fresh, 2 * points
    raise PrecisionError(
        f"the trapezoid rule has not settled at {LARGEST_TRAPEZOID} points; give smaller amplitudes or ask for less"
    )
