r"""Harmonics of ``act(H(θ))`` by scipy's adaptive quadrature, one waveform and one harmonic at a time.

The plain way, and the loop that the closed form replaces: split the circle at the zeros of H, call QUADPACK on every
piece. Between two neighbouring critical points H is monotone, so a zero there is a change of sign and Brent's method
finds it.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, sin

import numpy as np
import numpy.typing as npt

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray
from quadlens.errors import PrecisionError
from quadlens.quadrature.closed_form import checked_harmonics
from quadlens.quadrature.waveform import checked_coefficients, waveform_slopes, waveform_values

POINTS_PER_DEGREE = 64  # of the grid on which critical points are looked for


def adaptive_harmonics(
    coefficients: npt.ArrayLike,
    harmonics: Sequence[int] | npt.NDArray[np.integer],
    activation: str = "relu",
    *,
    tolerance: float = 1e-12,
) -> ComplexArray:
    r"""Return ``ĥ_m = (1/2π) ∫ act(H(θ)) e^{-imθ} dθ``, shape ``(..., len(harmonics))``.

    Parameters
    ----------
    coefficients, harmonics, activation
        As for `quadlens.quadrature.closed_form.waveform_harmonics`.
    tolerance : float
        Largest error *estimate* of QUADPACK that is accepted, relative to the largest coefficient (at least 1).

    Raises
    ------
    PrecisionError
        If the error estimate of a harmonic is larger.
    """
    from scipy.integrate import quad

    c, m = checked_coefficients(coefficients), checked_harmonics(harmonics)
    act = activation_named(activation).apply
    flat = c.reshape(-1, c.shape[-1])
    out = np.empty((flat.shape[0], m.size), dtype=np.complex128)
    for row, coefficient_row in zip(out, flat, strict=True):
        allowed = tolerance * max(1.0, float(np.abs(coefficient_row).max()))
        ends = [-np.pi, *_zeros(coefficient_row), np.pi]

        pairs = [(j, value.real, value.imag) for j, value in enumerate(coefficient_row.tolist())]

        def value(theta: float, order: int, part: int, pairs: list[tuple[int, float, float]] = pairs) -> float:
            height = sum(real * cos(j * theta) - imag * sin(j * theta) for j, real, imag in pairs)
            wave = cos(order * theta) if part == 0 else -sin(order * theta)
            return float(act(np.asarray(height))) * wave

        for index, order in enumerate(m.tolist()):
            parts, errors = [0.0, 0.0], 0.0
            for part in range(2):
                for a, b in pairwise(ends):
                    # full_output: QUADPACK's own doubts come back as an error estimate instead of a warning
                    result = quad(value, a, b, (order, part), full_output=1, epsabs=allowed / 10, epsrel=1e-13)
                    parts[part] += result[0]
                    errors += result[1]
            if errors > 2 * np.pi * allowed:
                raise PrecisionError(
                    f"QUADPACK estimates an error of {errors / (2 * np.pi):.2g} for harmonic {order}, above the "
                    f"{allowed:.2g} allowed; raise the tolerance or use the closed form"
                )
            row[index] = complex(*parts) / (2 * np.pi)
    return out.reshape(*c.shape[:-1], m.size)


def _zeros(c: ComplexArray) -> list[float]:
    from scipy.optimize import brentq

    def height(theta: float) -> float:
        return float(waveform_values(c, [theta])[0])

    def slope(theta: float) -> float:
        return float(waveform_slopes(c, [theta])[0])

    grid = np.linspace(-np.pi, np.pi, POINTS_PER_DEGREE * c.size + 1)
    slopes = waveform_slopes(c, grid)
    turns = [
        float(brentq(slope, grid[j], grid[j + 1], xtol=1e-15))
        for j in range(grid.size - 1)
        if slopes[j] * slopes[j + 1] < 0
    ]
    turns = [-np.pi, *turns, *grid[slopes == 0].tolist(), np.pi]
    return [float(brentq(height, a, b, xtol=1e-15)) for a, b in pairwise(sorted(turns)) if height(a) * height(b) < 0]
