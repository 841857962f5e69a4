r"""The rectangle rule that a frequency group is, and how far a sum of rectangles can be from the integral.

Neuron i has a node ``φ_i`` and a weight ``w_i ≥ 0``; the weights are scaled to ``Σ w_i = 2π``. Sort the nodes and give
neuron i the cell ``[v_{i-1}, v_i]`` of width ``w_i``, ``v_i = o + w_1 + … + w_i``. Its rectangle has area ``w_i
h(φ_i)``, and for every h of period 2π with Lipschitz constant K

    |∫ h - Σ w_i h(φ_i)| ≤ Σ_i ∫_{cell i} |h(x) - h(φ_i)| dx ≤ K F(o),     F(o) = Σ_i ∫_{cell i} |x - φ_i| dx.

Each term of F is the integral of a convex function over a translated interval: **F is convex**, and

    F'(o) = Σ_i |v_i - φ_i| - |v_{i-1} - φ_i|

is piecewise linear, rising by 2 per unit between the breakpoints ``φ_i - (v_i - o)`` and ``φ_i - (v_{i-1} - o)``.
Sorting the 2n breakpoints finds the zero of F', hence the true minimum, in O(n log n).

The integrand of the lens is ``h(φ) = ReLU(cos(φ + x)) cos(2φ + y)``, ``|h'|² ≤ sin² + 4 cos² ≤ 4``, so K = 2
(*direct*).
*Folded*: ReLU(t) = |t|/2 + t/2. The half ``|cos(φ + x)| cos(2φ + y) / 2`` has period π and K = 1; as a function of 2φ
it has period 2π and K = 1/2, so the nodes ``2φ_i`` with the same weights bound its error by F/2. The identity half has
integral 0 and sum ``¼ Σ w_i [cos(3φ_i + x + y) + cos(φ_i + y - x)]``, whose largest value over x, y is exactly
``¼ (|Σ w_i e^{3iφ_i}| + |Σ w_i e^{iφ_i}|)``. *Phase mismatch*: output phases ψ_i instead of 2φ_i change the sum by at
most ``sup_x |Σ_i w_i ReLU(cos(φ_i + x)) (e^{iψ_i} - e^{2iφ_i})|`` (at most ``Σ w_i |ψ_i - 2φ_i|``), which `gated_sup`
finds exactly: the active sets are the nodes in half circles, at most 2n of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.arrays import ComplexArray, FloatArray, IntArray, wrap_angle
from quadlens.errors import NodeError
from quadlens.rounding import UNIT_ROUNDOFF, gamma, up

TARGET_AMPLITUDE = 2.0 / 3.0  # of ∫ ReLU(cos(φ + x)) cos(2φ + y) dφ = (2/3) cos(y - 2x); the bound of "predict 0" is 1
_ANGLE_ROUNDING = 32 * UNIT_ROUNDOFF  # of 2φ or 3φ, of ψ - 2φ and of wrapping them: a few roundings of numbers below 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RectangleRule:
    """Cells of a rectangle rule with the offset that minimises F.

    ``order (n,)``: the neuron of each cell; ``nodes``, ``weights``, ``starts``, ``stops`` ``(n,)`` in that order, nodes
    ascending in [-π, π), weights summing to 2π, cell ends on the real line (a cell may leave [-π, π) and need not
    contain its node). ``distance``: proved, ``min_o F(o)`` rounded up.
    """

    order: IntArray
    nodes: FloatArray
    weights: FloatArray
    starts: FloatArray
    stops: FloatArray
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RectangleBounds:
    """Error of a group's sum against its integral, relative to the target's amplitude 2/3.

    Proved, rounded outward: ``direct``, ``folded`` (the |x|/2 half), ``identity``, ``phase_mismatch`` and ``total =
    min(direct, folded + identity) + phase_mismatch``. Measured: ``actual``, the largest error over all shifts y
    (exactly) and x (on a grid refined around its maximum).
    """

    direct: float
    folded: float
    identity: float
    phase_mismatch: float
    total: float
    actual: float


def checked_nodes(phases: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return phases in [-π, π] and weights ``≥ 0`` scaled to sum 2π, both ``(n,)``, or refuse them."""
    phi, w = np.asarray(phases, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if phi.ndim != 1 or phi.shape != w.shape or not phi.size:
        raise NodeError(f"phases and weights must be vectors of one length, at least 1; got {phi.shape}, {w.shape}")
    if not np.isfinite(phi).all() or np.abs(phi).max() > np.pi:
        raise NodeError("phases must be finite and in [-π, π]; wrap them first")
    if not np.isfinite(w).all() or (w < 0).any() or not w.max() > 0:
        raise NodeError("weights must be finite, none negative, and not all zero; drop the neurons without a wave")
    w = w / w.max()  # so that no sum overflows
    return phi, np.asarray(2 * np.pi * w / w.sum())


def rectangle_rule(phases: npt.ArrayLike, weights: npt.ArrayLike) -> RectangleRule:
    """Return the cells of the rule with nodes ``phases`` and ``weights`` (scaled to sum 2π), at the best offset.

    Raises
    ------
    NodeError
        If the shapes differ, a phase is not in [-π, π], or a weight is negative or not finite.

    Examples
    --------
    Four equally spaced nodes sit in the middle of cells of width π/2; F = 4 (π/4)²:

    >>> rule = rectangle_rule([-1.0, -1 + np.pi / 2, -1 + np.pi, -1 - np.pi / 2], [1, 1, 1, 1])
    >>> round(rule.distance / np.pi**2, 12), (rule.nodes - rule.starts).round(6).tolist()
    (0.25, [0.785398, 0.785398, 0.785398, 0.785398])
    """
    phi, w = checked_nodes(phases, weights)
    return _rule(phi, w)


def _rule(phi: FloatArray, w: FloatArray) -> RectangleRule:
    phi = wrap_angle(phi)
    order = np.argsort(phi, kind="stable")
    nodes, w = phi[order], w[order]
    after = np.cumsum(w)
    before = np.concatenate([[0.0], after[:-1]])
    offset = _best_offset(nodes - after, nodes - before)
    starts, stops = offset + before, offset + after
    return RectangleRule(
        order=order.astype(np.int64),
        nodes=nodes,
        weights=w,
        starts=starts,
        stops=stops,
        distance=_distance(nodes, starts, stops),
    )


def _best_offset(low: FloatArray, high: FloatArray) -> float:
    """Return the zero of F': it falls to -Σ w on the left, and neuron i adds a slope 2 between ``low[i]`` and
    ``high[i]``.
    """
    breaks = np.concatenate([low, high])
    change = np.concatenate([np.full(low.size, 2.0), np.full(high.size, -2.0)])
    order = np.argsort(breaks, kind="stable")
    breaks, slope = breaks[order], np.cumsum(change[order])
    derivative = -(high - low).sum() + np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(breaks))])
    index = int(np.searchsorted(derivative, 0.0))
    if index == 0 or index == breaks.size:
        return float(breaks[min(index, breaks.size - 1)])
    rise = derivative[index] - derivative[index - 1]
    share = -derivative[index - 1] / rise if rise > 0 else 0.0
    return float(breaks[index - 1] + share * (breaks[index] - breaks[index - 1]))


def _distance(nodes: FloatArray, starts: FloatArray, stops: FloatArray) -> float:
    """Return ``Σ ∫_{cell} |x - φ| dx`` rounded up, for the cells that exact arithmetic would make with this offset.

    A computed end is off by at most ``δ`` (cumulative sums of n weights, each of 2n roundings of relative size u, and
    the wrapping of the nodes); a cell's integral changes by at most ``2δ(|a| + |b|) + 4δ²``, with a, b the distances to
    its ends.
    """
    a, b = nodes - starts, stops - nodes
    inside = (a >= 0) & (b >= 0)
    integral = np.where(inside, 0.5 * (a * a + b * b), 0.5 * np.abs(b - a) * (stops - starts))
    n = nodes.size
    reach = 2 * np.pi + float(np.abs(starts).max()) + float(np.abs(stops).max())
    delta = 2 * gamma(3 * n + 16) * reach + _ANGLE_ROUNDING
    slack = 2 * delta * (np.abs(a) + np.abs(b)) + 4 * delta**2
    return float(up(np.asarray(integral.sum() + slack.sum()), n + 16))


def rectangle_bounds(
    phases: npt.ArrayLike, output_phases: npt.ArrayLike, weights: npt.ArrayLike
) -> RectangleBounds:
    """Bound ``|Σ w_i ReLU(cos(φ_i + x)) cos(ψ_i + y) - (2/3) cos(y - 2x)|`` for all x, y; relative to 2/3; O(n log n).

    Parameters
    ----------
    phases, output_phases : array, shape (n,), radians in [-π, π]
        ``φ_i`` and ``ψ_i``.
    weights : array, shape (n,), not negative
        ``r_i u_i``; scaled to sum 2π.

    Returns
    -------
    RectangleBounds
        The bounds are proved for the rule with exactly these nodes and weights, rounded outward.

    Raises
    ------
    NodeError
        As `rectangle_rule`, and if the output phases do not match.
    """
    phi, w = checked_nodes(phases, weights)
    psi, _ = checked_nodes(output_phases, weights)
    operations = 4 * phi.size + 32
    direct = 2 * _rule(phi, w).distance
    folded = 0.5 * _rule(wrap_angle(2 * phi), w).distance
    sums = np.abs([np.dot(w, np.exp(1j * phi)), np.dot(w, np.exp(3j * phi))]).sum()
    identity = 0.25 * (sums + 4 * np.pi * (gamma(operations) + _ANGLE_ROUNDING))
    mismatch = gated_sup(phi, w * (np.exp(1j * psi) - np.exp(2j * phi))) + 2 * np.pi * _ANGLE_ROUNDING
    # proved, as multiples of the target: each is a sum and quotient of non-negative numbers, rounded up once more
    relative = [float(up(np.asarray(x / TARGET_AMPLITUDE), operations)) for x in (direct, folded, identity, mismatch)]
    return RectangleBounds(
        direct=relative[0],
        folded=relative[1],
        identity=relative[2],
        phase_mismatch=relative[3],
        total=float(up(np.asarray(min(relative[0], relative[1] + relative[2]) + relative[3]), 4)),
        actual=sup_error(phi, psi, w),
    )


def gated_sup(phi: FloatArray, terms: ComplexArray) -> float:
    """Return ``sup_x |Σ_i ReLU(cos(φ_i + x)) t_i|`` for complex t, rounded up: exact up to rounding, O(n log n).

    Between consecutive zeros ``x = -φ_i ± π/2`` of the cosines the active set S is constant and the sum is ``C cos x -
    S sin x = P e^{ix} + Q e^{-ix}``, of modulus at most ``|P| + |Q|``, reached where the two arguments agree; elsewhere
    the largest value on the interval is at an end.
    """
    order = np.argsort(phi, kind="stable")
    nodes, size = phi[order], float(np.abs(terms).sum())
    # P = ½ Σ_S t e^{iφ}, Q = ½ Σ_S t e^{-iφ}, by prefix sums over the sorted nodes
    rising = np.concatenate([[0.0], np.cumsum((0.5 * terms * np.exp(1j * phi))[order])])
    falling = np.concatenate([[0.0], np.cumsum((0.5 * terms * np.exp(-1j * phi))[order])])
    ends = np.sort(wrap_angle(np.concatenate([-phi - np.pi / 2, -phi + np.pi / 2])))
    left, right = ends, np.concatenate([ends[1:], ends[:1] + 2 * np.pi])
    P, Q = (_active_sum(nodes, sums, (left + right) / 2) for sums in (rising, falling))
    peak = (np.angle(Q) - np.angle(P)) / 2
    margin = 64 * UNIT_ROUNDOFF * np.pi  # a peak this close outside is counted as inside: the bound only grows
    beyond = np.remainder(peak - left + margin, np.pi)
    at_ends = [np.abs(P * np.exp(1j * x) + Q * np.exp(-1j * x)) for x in (left, right)]
    largest = np.where(beyond <= right - left + 2 * margin, np.abs(P) + np.abs(Q), np.maximum(*at_ends))
    return float(largest.max()) + size * (2 * gamma(phi.size + 16) + 4 * _ANGLE_ROUNDING)


def _active_sum(nodes: FloatArray, sums: ComplexArray, x: FloatArray) -> ComplexArray:
    """Return the sum over the nodes with ``cos(φ + x) > 0``: φ in (-x - π/2, -x + π/2), an arc that may pass π."""
    start = wrap_angle(-x - np.pi / 2)
    stop = wrap_angle(start + np.pi)
    first, last = np.searchsorted(nodes, start), np.searchsorted(nodes, stop)
    return np.asarray(sums[last] - sums[first] + np.where(stop < start, sums[-1], 0))


def sup_error(phases: npt.ArrayLike, output_phases: npt.ArrayLike, weights: npt.ArrayLike) -> float:
    """Measure the largest relative error of the rule over all x, y.

    At fixed x the largest over y is ``|Σ w_i ReLU(cos(φ_i + x)) e^{iψ_i} - (2/3) e^{-2ix}|``, evaluated for many x by
    prefix sums over the sorted nodes; x runs over a grid, then over finer grids around the largest value. A true sup is
    at least this.
    """
    phi, w = checked_nodes(phases, weights)
    psi, _ = checked_nodes(output_phases, weights)
    order = np.argsort(phi, kind="stable")
    nodes = phi[order]
    terms = (w * np.exp(1j * psi))[order]
    waves = [np.concatenate([[0.0], np.cumsum(terms * wave(nodes))]) for wave in (np.cos, np.sin)]

    def error(x: FloatArray) -> FloatArray:
        cosine, sine = (_active_sum(nodes, wave, x) for wave in waves)
        return np.asarray(np.abs(cosine * np.cos(x) - sine * np.sin(x) - TARGET_AMPLITUDE * np.exp(-2j * x)))

    x, step = np.linspace(-np.pi, np.pi, 4097), 2 * np.pi / 4096
    best = error(x)
    for _ in range(3):
        around = x[np.argsort(best)[-8:]]
        x = (around[:, None] + np.linspace(-step, step, 65)).ravel()
        best, step = error(x), step / 32
    return float(best.max() / TARGET_AMPLITUDE)
