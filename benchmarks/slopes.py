"""Log–log slopes with confidence intervals: how a cost grows with the number of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """The least-squares slope of log y against log x, with its 95 % interval (Student, n − 2 degrees)."""

    value: float
    low: float
    high: float
    points: int


def slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Fit ``log y = slope · log x + constant``; needs at least three points."""
    from scipy.stats import linregress, t

    if len(x) < 3:
        raise ValueError(f"a slope with an interval needs at least 3 points, got {len(x)}")
    found = linregress(np.log(x), np.log(y))
    half = float(t.ppf(0.975, len(x) - 2) * found.stderr)
    return Slope(value=float(found.slope), low=found.slope - half, high=found.slope + half, points=len(x))
