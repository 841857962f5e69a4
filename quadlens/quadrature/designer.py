r"""The designer: which secondary frequency and bias make a group answer alike to every difference a - b.

In the symmetric locked case (e_A = e_B = 1, s_A = s_B = -σ) a group's waveform is

    H_d(θ) = Re[(e^{iα} + 1) e^{iθ} - σ (e^{2iα} + 1) e^{2iθ}] + κ,     α = ωkd,

and its response to a difference d is ``|ĥ_2(d)|``. The pure pizza (σ = κ = 0) is blind at α = π. The flatness is
``min_d |ĥ_2| / max_d |ĥ_2|``. At α = π, ``H = κ - 2σ cos 2θ``, so for κ ≥ 2σ the ReLU is never inactive there and
``|ĥ_2| = σ`` exactly. Over the continuum of α the best flatness is about 0.830, near σ = 0.138, κ = 0.34; there
``|ĥ_2|`` has a narrow dip near α = 0.82π, where a pair of zeros of H appears, and a coarse grid of angles that misses
it claims a little more.
"""

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, wrap_angle
from quadlens.errors import OptionError
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.harmonics import harmonic_error
from quadlens.quadrature.rates import even_phases
from quadlens.quadrature.waveform import group_waveform

CONTINUUM = 240  # angles from 0 to π that stand for all α: |ĥ_2| is smooth and even in α
START = (0.1375, 0.345)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Measured optimum: σ, κ, the ``flatness`` they give, and the ``response (α,)`` at ``angles (α,)`` (radians)."""

    sigma: float
    kappa: float
    flatness: float
    angles: FloatArray
    response: FloatArray


def response(sigma: float, kappa: float, angles: FloatArray) -> FloatArray:
    """Return ``|ĥ_2|`` for each angle α = ωkd (radians)."""
    turn = np.exp(1j * np.asarray(angles, dtype=np.float64))
    c = np.stack([np.full(turn.shape, kappa), turn + 1, -sigma * (turn**2 + 1)], axis=-1)
    return np.abs(waveform_harmonics(c, [2])[..., 0])


def flatness(sigma: float, kappa: float, angles: FloatArray) -> float:
    """Return ``min |ĥ_2| / max |ĥ_2|`` over the angles; 0 where there is no response at all.

    >>> round(flatness(1 / 8, 2**0.5 - 1, np.linspace(-np.pi, np.pi, 721)), 3)
    0.78
    """
    values = response(sigma, kappa, angles)
    return float(values.min() / values.max()) if values.max() > 0 else 0.0


def group_flatness(
    p: int, frequency: int, e_A: complex, e_B: complex, s_A: complex, s_B: complex, kappa: float
) -> float:
    """Return ``min_d |ĥ_2(d)| / max_d |ĥ_2(d)|`` of a group as it is trained, to be set beside a design."""
    values = np.abs(waveform_harmonics(group_waveform(p, frequency, e_A, e_B, s_A, s_B, kappa), [2])[:, 0])
    return float(values.min() / values.max()) if values.max() > 0 else 0.0


def design(p: int | None = None, frequency: int = 1) -> Design:
    """Return the σ, κ that flatten the response for one frequency of one p, or for the continuum of angles (p None).

    A frequency prime to p runs through all residues, so all such frequencies have one design. A smooth search from
    the continuum's optimum: measured, not proved best (within about 1e-3 of the best flatness found by other searches).
    """
    from scipy.optimize import minimize

    if p is None:
        angles = np.linspace(0, np.pi, CONTINUUM + 1)
    else:
        if p < 3 or frequency % p == 0:
            raise OptionError(f"a design needs p >= 3 and a frequency not a multiple of p; got {p}, {frequency}")
        step = gcd(frequency, p)
        # |ĥ_2| is even in α (swapping a and b): half of the residues suffice
        angles = 2 * np.pi * np.arange(0, p // 2 + 1, step) / p


    # max of a min over a max is not smooth; with the lowest and the highest response as two more unknowns it is
    def slack(x: FloatArray) -> FloatArray:
        values = response(float(x[0]), float(x[1]), angles)
        return np.concatenate([values - x[2], x[3] - values])

    values = response(*START, angles)
    search: Any = minimize  # its stubs refuse a constraint given as a plain dictionary
    best = search(
        lambda x: -x[2] / x[3],
        np.array([*START, values.min(), values.max()]),
        method="SLSQP",
        constraints={"type": "ineq", "fun": slack},
        options={"ftol": 1e-12, "maxiter": 200},
    ).x
    sigma, kappa = float(best[0]), float(best[1])
    return Design(
        sigma=sigma,
        kappa=kappa,
        flatness=flatness(sigma, kappa, angles),
        angles=angles,
        response=response(sigma, kappa, angles),
    )


def smallest_width(p: int, frequency: int, sigma: float, kappa: float, tolerance: float, *, largest: int = 513) -> int:
    """Return the smallest odd number of equally spaced neurons whose error is proved at most ``tolerance · |ĥ_2(d)|``
    for every d.

    Raises
    ------
    OptionError
        If no width up to ``largest`` will do.
    """
    c = group_waveform(p, frequency, 1, 1, -sigma, -sigma, kappa)
    for n in range(3, largest + 1, 2):
        phi = even_phases(n)
        error = harmonic_error(c, phi, wrap_angle(2 * phi), np.ones(n), highest=4 * largest)
        if (error.bound <= tolerance * error.target).all():
            return n
    raise OptionError(f"no odd width up to {largest} has an error below {tolerance} of the target; raise one of them")
