r"""What width buys: the error of a group's rule against its number of neurons, for even and for random phases.

All errors are relative to the target's amplitude 2/3, for the pizza integrand ``ReLU(cos(φ + x)) cos(2φ + y)``.

**Equally spaced phases** (ψ = 2φ, equal weights). Only the aliases ``m = jn - 2`` of the target survive, and
``|ĥ_m| = 1/(π(m² - 1))`` for even m, 0 for odd ``|m| ≥ 3``: n even nodes see every j, n odd ones only the even j, like
N = 2n. Their signs can be aligned by a choice of x, so the largest error is the sum of the moduli,

    (3π/2N) (cot(π/N) - cot(3π/N)) - 1  =  π²/N² + O(N⁻⁴),     N = n (n even), 2n (n odd),

from ``Σ_{j∈Z} 1/(jN - c) = -(π/N) cot(πc/N)``. Rate n⁻².

**Independent uniform phases**. ``error(x) = Σ w_i ReLU(H(φ_i + x)) e^{2iφ_i} - target`` has mean zero and, whatever x,

    E |error|² = Σ_i w_i² (Σ_j h_j ĥ_{-j} - |ĥ_2|²),

because ``ReLU(H)² = H ReLU(H)``; for the pizza ``1/4 - 1/(9π²)``. Rate n^{-1/2}. The largest error over x is a random
number; its distribution is *estimated* by drawing phases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, pi, sqrt, tan

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray, wrap_angle
from quadlens.claims import Estimate
from quadlens.errors import OptionError
from quadlens.quadrature.closed_form import two_sided, waveform_harmonics
from quadlens.quadrature.rectangles import checked_nodes, rectangle_bounds
from quadlens.quadrature.waveform import checked_coefficients

PIZZA = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCurve:
    """Relative errors against width; arrays of shape (width,).

    ``even_error``: closed form; ``even_bound``: the rectangle bound. ``random_std``: closed form, root mean square over
    draws at any x; ``random_error`` and ``random_bound``: estimates over draws of the largest error over x and y and of
    the rectangle bound, with their central 90 % of draws.
    """

    widths: IntArray
    even_error: FloatArray
    even_bound: FloatArray
    random_std: FloatArray
    random_error: tuple[Estimate, ...]
    random_bound: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedPoint:
    """Where a trained group lies among the curves.

    ``width``: neurons; ``effective_width``: ``(Σ w)²/Σ w²``, the width of equal weights with the same ``Σ w²``;
    ``error``: measured; ``bound``: proved (rectangles); ``mismatch``: its part from ψ ≠ 2φ; ``even_width``,
    ``random_width``: how many evenly, or randomly placed, neurons of equal weight would have the same error (for random
    phases: the same in root mean square).
    """

    width: int
    effective_width: float
    error: float
    bound: float
    mismatch: float
    even_width: int
    random_width: int


def even_phases(n: int) -> FloatArray:
    """Return n equally spaced phases in [-π, π)."""
    return wrap_angle(-np.pi + 2 * np.pi * (np.arange(n) + 0.5) / n)


def even_error(n: int) -> float:
    """Return the largest error of n equally spaced phases, n ≥ 4, in closed form (see the module).

    >>> round(even_error(100) * 100**2 / np.pi**2, 2)
    1.0
    """
    if n < 4:
        raise OptionError(f"the closed form needs at least 4 phases; got {n}")
    aliases = n if n % 2 == 0 else 2 * n
    return 3 * pi / (2 * aliases) * (1 / tan(pi / aliases) - 1 / tan(3 * pi / aliases)) - 1


def random_std(weights: npt.ArrayLike, coefficients: npt.ArrayLike = PIZZA) -> float:
    """Return the root mean square of |error| over independent uniform phases, relative to the target, in closed form.

    ``weights (n,)`` are scaled to ``Σ w = 2π``; the waveform's own target is ``2π |ĥ_2|``, which must not be zero.
    """
    w = np.asarray(weights, dtype=np.float64)
    _, w = checked_nodes(np.zeros(w.shape), w)
    c = checked_coefficients(coefficients)
    h = two_sided(c)
    orders = np.arange(1 - c.size, c.size)
    mean_square = float((h * waveform_harmonics(c, -orders)).sum().real)
    target = float(np.abs(waveform_harmonics(c, [2])[0]))
    if target <= 1e-14 * np.abs(c).max():
        raise OptionError("the waveform's second harmonic is zero: there is no target to be relative to")
    return sqrt(float((w**2).sum()) * max(mean_square - target**2, 0.0)) / (2 * np.pi * target)


def even_certifying_width(tolerance: float) -> int:
    """Return the smallest odd width whose rectangle bound ``(3/4) π²/n`` is at most the tolerance (relative error)."""
    _check_tolerance(tolerance)
    n = ceil(0.75 * pi**2 / tolerance)
    return n if n % 2 else n + 1


def even_width_for(error: float) -> int:
    """Return the smallest width (4 or more) of equally spaced phases whose largest error is at most ``error``."""
    _check_tolerance(error)
    # errors fall with n among the odd and among the even widths; an odd width acts as twice its size
    n = 5
    while even_error(n) > error:
        n = max(n + 2, 2 * (int(n * sqrt(even_error(n) / error) * 0.98) // 2) + 1)
    while n > 5 and even_error(n - 2) <= error:
        n -= 2
    return 4 if even_error(4) <= error else n


def random_width_for(error: float) -> int:
    """Return the width of independent random phases, equal weights, whose root mean square error is at most
    ``error``.
    """
    _check_tolerance(error)
    return ceil((random_std([1.0]) / error) ** 2)


def random_certifying_width(
    tolerance: float, generator: np.random.Generator, *, draws: int = 200, width: int = 256
) -> Estimate:
    """Estimate the width at which 95 % of draws of random phases have a rectangle bound at most the tolerance.

    The bound falls like n^{-1/2}: its 95 % quantile at one width is scaled. The interval is a 95 % bootstrap interval.
    """
    _check_tolerance(tolerance)
    _, bounds = _draw(width, draws, generator)
    scaled = width * (bounds / tolerance) ** 2
    resampled = np.quantile(generator.choice(scaled, (1000, draws)), 0.95, axis=1)
    return Estimate(
        value=float(np.quantile(scaled, 0.95)),
        low=float(np.quantile(resampled, 0.025)),
        high=float(np.quantile(resampled, 0.975)),
        method=f"95 % quantile of {draws} draws at width {width}, scaled by n^(-1/2); bootstrap interval at 95 %",
    )


def rate_curve(
    widths: Sequence[int],
    generator: np.random.Generator,
    *,
    draws: int = 50,
    progress: Callable[[float], None] | None = None,
) -> RateCurve:
    """Return the errors of evenly spaced and of random phases, equal weights, at each width (4 or more)."""
    chosen = np.asarray(sorted({int(n) for n in widths}), dtype=np.int64)
    if not chosen.size or chosen[0] < 4 or draws < 2:
        raise OptionError("a rate curve needs widths of at least 4 and at least 2 draws; give them")
    errors: list[Estimate] = []
    bounds: list[Estimate] = []
    for done, n in enumerate(chosen.tolist()):
        drawn = _draw(n, draws, generator)
        for values, estimates in zip(drawn, (errors, bounds), strict=True):
            low, high = np.quantile(values, [0.05, 0.95])
            estimates.append(
                Estimate(
                    value=float(values.mean()),
                    low=float(low),
                    high=float(high),
                    method=f"mean and central 90 % of {draws} draws",
                )
            )
        if progress is not None:
            progress((done + 1) / chosen.size)
    even = [rectangle_bounds(even_phases(n), wrap_angle(2 * even_phases(n)), np.ones(n)) for n in chosen.tolist()]
    return RateCurve(
        widths=chosen,
        even_error=np.array([even_error(n) for n in chosen.tolist()]),
        even_bound=np.array([found.total for found in even]),
        random_std=random_std([1.0]) / np.sqrt(chosen),
        random_error=tuple(errors),
        random_bound=tuple(bounds),
    )


def trained_point(phases: npt.ArrayLike, output_phases: npt.ArrayLike, weights: npt.ArrayLike) -> TrainedPoint:
    """Place a trained group (phases, output phases in [-π, π], weights) among the curves."""
    bounds = rectangle_bounds(phases, output_phases, weights)
    _, w = checked_nodes(phases, weights)
    floor = max(bounds.actual, 1e-12)  # an exact rule has no finite equivalent width
    return TrainedPoint(
        width=int(w.size),
        effective_width=float(w.sum() ** 2 / (w**2).sum()),
        error=bounds.actual,
        bound=bounds.total,
        mismatch=bounds.phase_mismatch,
        even_width=even_width_for(floor),
        random_width=random_width_for(floor),
    )


def _draw(n: int, draws: int, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the largest error and the rectangle bound of each draw of n locked phases, shape (draws,)."""
    values = np.empty((2, draws))
    for draw in range(draws):
        phi = generator.uniform(-np.pi, np.pi, n)
        bounds = rectangle_bounds(phi, wrap_angle(2 * phi), np.ones(n))
        values[:, draw] = bounds.actual, bounds.total
    return values[0], values[1]


def _check_tolerance(tolerance: float) -> None:
    if not 0 < tolerance < np.inf:
        raise OptionError(f"a relative error must be positive and finite; got {tolerance}")

