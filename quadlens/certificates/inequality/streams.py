r"""What a group's neurons give a sum, one stream of numbers for each: where it begins, and how it changes.

With ``a = |α|``, ``κ = 1 − α``, δ the table's deviation and β = 1 where a neuron is bounded, the sums begin with every
gate far below 0 and change as H passes a threshold:

    of û         α T        + ½κβ δ₊  (−λ)     + κ (T − ½β δ)     (0)     − ½κβ δ₋  (λ)
    of V         0          + ½κβ δ₊           − ½κβ δ                    − ½κβ δ₋
    of osc       a |δ|      + (1−a) β δ₊       + (1−a)(|δ| − β δ₊)
    squares      a² δ²      + (1−a²) β δ₊²     + (1−a²)(δ² − β δ₊²)
"""

from dataclasses import dataclass
from typing import Any

from quadlens.certificates.inequality.arcs import Arcs
from quadlens.rounding import gamma


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """What a group's members are multiplied by: ``u_hat (members, 2K)``, ``V``, ``osc (members,)``; ``bounded`` is 1
    or 0 for each, or None where none is; ``slope`` is α."""

    u_hat: Any
    V: Any
    osc: Any
    bounded: Any
    slope: float

    @property
    def stacked(self) -> list[Any]:
        """The factors of each stream of ``streams``, all of shape (members, …)."""
        columns = [self.u_hat, self.osc[:, None], 1 + 0 * self.osc[:, None]]
        return columns if self.bounded is None else [*columns, self.V[:, None]]


def streams(xp: Any, weights: Weights, value: Any, delta: Any) -> tuple[list[Any], list[list[Any]]]:
    """Return the numbers that begin and those that change at each threshold, each (residues, members), in the order
    û, osc, squares and, where neurons are bounded, V.

    >>> import array_api_compat.numpy as xp
    >>> one = Weights(u_hat=None, V=None, osc=None, bounded=None, slope=0.0)
    >>> begin, ((gate, *_),) = streams(xp, one, np.array([[3.0]]), np.array([[1.0]]))
    >>> float(begin[0][0, 0]), float(gate[0, 0])
    (0.0, 3.0)
    """
    slope, beta = weights.slope, weights.bounded
    a, kappa = abs(slope), 1 - slope
    size, square = xp.abs(delta), delta * delta
    begin = [slope * value, a * size, a * a * square]
    if beta is None:
        return begin, [[kappa * value, (1 - a) * size, (1 - a * a) * square]]
    nothing = 0 * delta
    above, below = xp.maximum(delta, nothing) * beta, xp.maximum(-delta, nothing) * beta
    # exact: δ₊ and δ₋ are δ or 0, so that δ₊ − δ₋ is δ
    half, far = kappa / 2 * above, -kappa / 2 * below
    gate = -kappa / 2 * (above - below)
    positive = above * above
    return [*begin, nothing], [
        [half, (1 - a) * above, (1 - a * a) * positive, half],
        [kappa * value + gate, (1 - a) * (size - above), (1 - a * a) * (square - positive), gate],
        [far, nothing, nothing, far],
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LookedAt:
    """What a group's sums are added to, axes d, b: ``C (|F|, p, p)``, ``R, res (p, p)``; ``norms (p,)`` are
    ``‖dU(Y)‖ + max_c ‖dU(c)‖``, ``x_osc, x_norm (p, p)`` are ``Σ x osc`` and ``‖x‖`` of gates looked at, empty if
    none is."""

    C: Any
    R: Any
    res: Any
    norms: Any
    x_osc: Any
    x_norm: Any


def lost_of_squares(arcs: Arcs, members: int) -> float:
    """Return what rounding can take from a part of a sum of squares, over the whole: each of its prefix sums is off by
    ``γ`` times that."""
    return 2 * (arcs.most + len(arcs.ends) + 2) * gamma(members + 2 * arcs.most + 64)
