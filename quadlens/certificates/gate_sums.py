r"""C and R for every input from prefix sums: O(pn) to build, O(p²) to read.

The neurons of a bucket lie in order of cell. A sum over those with ``H > t`` is a sum over a few arcs of the circle,
whose ends (the
cells where H crosses t, found once for each d) move by ``g·kb`` with b. Writing ``F^τ`` for the sum over neurons
with ``H > τ`` of
what changes when H rises past the threshold τ,

    Σ_i f_i(zone of H_i) = Σ_i f_i(lowest zone) + Σ_τ F^τ,       τ = −l_J, …, −l_1, 0, l_1, …, l_J

and each summand is a function of (a, i) plus one of (b, i): prefix sums over i for each a, and for each b.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Bucket, Plan
from quadlens.certificates.retained import Retained
from quadlens.circuits.circuit import Circuit

BLOCK = 2**20
"""Float64 numbers that one block of prefix sums holds at most, unless one residue needs more (8 MiB: near the
cache)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateSums:
    """``C (p, p, |F|)`` and, for each bucket, ``R (p, p)``; axes a, b. ``crossings`` bounds the arc ends of any sum."""

    C: ComplexArray
    R: FloatArray
    crossings: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """Where ``H_d > τ``, for each d: ``ends`` is the list of (rank-th start, rank-th end) cells, −1 where there are
    fewer.

    ``wraps[d, t]`` says whether the cell before the one that shift ``t`` moves to 0 belongs.
    """

    starts: IntArray
    stops: IntArray
    inside: BoolArray


def arcs(H: FloatArray, threshold: float) -> Arcs:
    """Find the arcs of ``H[d, s] > threshold`` for each row; ``starts`` belong to an arc, ``stops`` are just behind
    it."""
    inside = threshold < H
    before = np.roll(inside, 1, axis=1)
    return Arcs(starts=_ranked(inside & ~before), stops=_ranked(before & ~inside), inside=inside)


def _ranked(mask: BoolArray) -> IntArray:
    """Return the columns of the true entries of each row, in order, padded with −1: shape (most in a row, rows)."""
    rows, columns = np.nonzero(mask)
    number = np.bincount(rows, minlength=mask.shape[0])
    first = np.cumsum(number) - number
    out = np.full((int(number.max(initial=0)), mask.shape[0]), -1, dtype=np.int64)
    out[np.arange(rows.size) - first[rows], rows] = columns
    return out


def gate_sums(
    circuit: Circuit,
    plan: Plan,
    retained: Retained,
    cross: FloatArray,
    count: OperationCounter,
    progress: Callable[[float], None] | None = None,
) -> GateSums:
    """Return C and R for every input; ``cross`` holds ``V_i``."""
    p, kept = plan.p, len(plan.retained)
    C = retained.skip_a[:, None, :] + retained.skip_b[None, :, :]
    count.add(2 * p * p, kept)
    R = np.zeros((len(plan.buckets), p, p))
    most = 0
    for number, bucket in enumerate(plan.buckets):
        most = max(most, _add_bucket(circuit, plan, retained, cross, bucket, C, R[number], count))
        if progress is not None:
            progress((number + 1) / len(plan.buckets))
    _add_solo(circuit, plan, retained, C, count)
    return GateSums(C=C, R=R, crossings=most)


def _add_bucket(
    circuit: Circuit,
    plan: Plan,
    retained: Retained,
    cross: FloatArray,
    bucket: Bucket,
    C: ComplexArray,
    R: FloatArray,
    count: OperationCounter,
) -> int:
    """Add a bucket's part to C and write its R; return the most arc ends of one (d, threshold)."""
    p, cells = plan.p, plan.cells
    shift = plan.shifts(bucket.frequency)
    own = plan.own(bucket)
    s = np.arange(cells)
    H = bucket.A[(s + shift[:, None]) % cells] + bucket.B
    count.add(p, cells)
    thresholds = np.concatenate([-bucket.levels[::-1], [0.0], bucket.levels])
    found = [arcs(H, float(threshold)) for threshold in thresholds]
    count.add(2 * p * thresholds.size, cells)
    # neurons with a cell below c, for every c, twice round
    position = np.searchsorted(plan.cell[bucket.members], np.arange(cells))
    position = np.concatenate([position, position])
    u_hat = retained.u_hat[bucket.members]
    half_weights = _half_weights(u_hat, own, cross[bucket.members], bucket.cross)
    for first in (True, False):
        sums = _TableSums(
            table=(circuit.A if first else circuit.B)[:, bucket.members],
            curve=bucket.A if first else bucket.B,
            first=first,
            plan=plan,
            bucket=bucket,
            u_hat=u_hat,
            half_weights=half_weights,
        )
        sums.add(found, position, shift, own, C if first else C.transpose(1, 0, 2), R if first else R.T, count)
    return max((one.starts.shape[0] for one in found), default=0)


def _half_weights(u_hat: ComplexArray, own: int | None, cross: FloatArray, ratio: float) -> FloatArray:
    """Return ½w and ½û° (its two parts) for each neuron, shape (members, 3), or ½w alone without an own frequency."""
    if own is None:
        return np.asarray(0.5 * (cross / ratio)[:, None])
    wave = u_hat[:, own]
    return np.asarray(0.5 * np.stack([np.maximum(np.abs(wave), cross / ratio), wave.real, wave.imag], axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TableSums:
    """Prefix sums of one table of one bucket, built and read in blocks of residues."""

    table: FloatArray
    curve: FloatArray
    first: bool
    plan: Plan
    bucket: Bucket
    u_hat: ComplexArray
    half_weights: FloatArray

    def add(
        self,
        found: list[Arcs],
        position: IntArray,
        shift: IntArray,
        own: int | None,
        C: ComplexArray,
        R: FloatArray,
        count: OperationCounter,
    ) -> None:
        """Add to C and R, whose first axis is this table's residue."""
        p, members = self.table.shape
        kept, channels = self.u_hat.shape[1], self.half_weights.shape[1]
        rows = max(1, min(p, BLOCK // ((members + 1) * (2 * kept + channels))))
        r = self.plan.amplitude[self.bucket.members]
        at = self.plan.cell[self.bucket.members]
        zero = self.bucket.levels.size
        for start in range(0, p, rows):
            block = slice(start, min(start + rows, p))
            table = self.table[block]
            delta = table - r * self.curve[(at + shift[block, None]) % self.plan.cells]
            count.add(2, delta.size)
            residuals = self._zones(delta, r, count)
            # the lowest zone holds for every neuron
            low = residuals[0] @ self.half_weights
            count.add(2 * delta.size, channels)
            midpoint = np.zeros((table.shape[0], p, channels)) + low[:, None, :]
            for number, one in enumerate(found):
                change = (residuals[number + 1] - residuals[number])[:, :, None] * self.half_weights
                count.add(delta.size, 1 + 2 * channels)
                midpoint += self._read(_prefix(change), one, position, shift, block, count)
            gated = (table[:, :, None] * self.u_hat).view(np.float64)
            count.add(4 * delta.size, kept)
            sums = self._read(_prefix(gated), found[zero], position, shift, block, count)
            C[block] += sums.view(np.complex128)
            R[block] += midpoint[:, :, 0]
            if own is not None:
                C[block, :, own] += midpoint[:, :, 1] + 1j * midpoint[:, :, 2]
            count.add(table.shape[0] * p, 2 * kept + channels)

    def _zones(self, delta: FloatArray, r: FloatArray, count: OperationCounter) -> list[FloatArray]:
        """Return this table's part of ρ̄ in each zone of H, from the lowest (−∞, −l_J] to the highest (l_J, ∞)."""
        halves = [0.5 * level * r for level in (0.0, *self.bucket.levels)]
        negative = [np.maximum(delta - half, 0.0) for half in reversed(halves)]
        positive = [np.maximum(-delta - half, 0.0) for half in halves]
        count.add(4 * len(halves), delta.size)
        return negative + positive

    def _read(
        self,
        prefix: FloatArray,
        found: Arcs,
        position: IntArray,
        shift: IntArray,
        block: slice,
        count: OperationCounter,
    ) -> FloatArray:
        """Return the sums over the arcs for the block's residues and every residue of the other table."""
        p, cells = self.plan.p, self.plan.cells
        rows, width, channels = prefix.shape
        flat = prefix.reshape(rows * width, channels)
        own = np.arange(block.start, block.stop)[:, None]
        other = np.arange(p)
        d = (own - other if self.first else other - own) % p
        b = np.broadcast_to(other, (rows, p)) if self.first else np.broadcast_to(own, (rows, p))
        t = shift[b]
        base = (np.arange(rows) * width)[:, None]
        # a sum that runs on past cell G − 1 takes in the end of the prefix sums
        wraps = found.inside[d, (t - 1) % cells]
        out = np.where(wraps[:, :, None], prefix[:, -1:, :], 0.0)
        count.add(rows * p, channels)
        for ends, sign in ((found.stops, 1), (found.starts, -1)):
            for cell in ends:
                there = cell >= 0
                if there.all():
                    values = flat.take(base + position[cell[d] + (cells - t)], axis=0)
                    if sign > 0:
                        out += values
                    else:
                        out -= values
                    count.add(rows * p, channels)
                else:
                    x, y = np.nonzero(there[d])
                    index = x * width + position[cell[d[x, y]] + (cells - t[x, y])]
                    out[x, y] += sign * flat.take(index, axis=0)
                    count.add(x.size, channels)
        return np.ascontiguousarray(out)


def _prefix(values: FloatArray) -> FloatArray:
    """Return sums over the members before each position: (rows, members, channels) → (rows, members + 1, channels)."""
    out = np.zeros((values.shape[0], values.shape[1] + 1, values.shape[2]))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _add_solo(circuit: Circuit, plan: Plan, retained: Retained, C: ComplexArray, count: OperationCounter) -> None:
    """Add the solo neurons, evaluated for every input."""
    if not plan.solo.size:
        return
    p, kept = plan.p, len(plan.retained)
    u_hat = retained.u_hat[plan.solo]
    parts = np.concatenate([u_hat.real, u_hat.imag], axis=1)
    rows = max(1, BLOCK // (p * plan.solo.size))
    for start in range(0, p, rows):
        block = slice(start, min(start + rows, p))
        hidden = np.maximum(circuit.A[block, None, plan.solo] + circuit.B[None, :, plan.solo], 0.0)
        values = hidden @ parts
        C[block] += values[:, :, :kept] + 1j * values[:, :, kept:]
    count.add(p * p * plan.solo.size, 2 + 4 * kept)
