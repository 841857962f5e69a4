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

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.arcs import Arcs, Zones, arcs_of, thresholds_of, zones
from quadlens.certificates.compiled import compiled_is_worth_it
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of, in_parallel
from quadlens.certificates.plan import Bucket, Plan
from quadlens.certificates.retained import Retained
from quadlens.circuits.circuit import Circuit

BLOCK = 2**20
"""Float64 numbers that one block of prefix sums holds at most, unless one residue needs more (8 MiB: near the
cache)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateSums:
    """``by_output (|F|, p, p)``: ``C_z(a, b)`` by z; ``R (buckets, p, p)``. ``crossings`` bounds the arc ends of any
    sum.
    """

    by_output: ComplexArray
    R: FloatArray
    crossings: int

    @property
    def C(self) -> ComplexArray:
        """The retained sums with axes a, b, z."""
        return np.moveaxis(self.by_output, 0, 2)


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
    C = np.empty((kept, p, p), dtype=np.complex128)

    def begin(block: slice) -> None:
        np.add(retained.skip_a.T[:, block, None], retained.skip_b.T[:, None, :], out=C[:, block])

    in_parallel(begin, blocks_of(p, BLOCK // (kept * p)))
    count.add(2 * p * p, kept)
    R = np.zeros((len(plan.buckets), p, p))
    most = 0
    for number, bucket in enumerate(plan.buckets):
        most = max(most, _add_bucket(circuit, plan, retained, cross, bucket, C, R[number], count))
        if progress is not None:
            progress((number + 1) / len(plan.buckets))
    _add_solo(circuit, plan, retained, C, count)
    return GateSums(by_output=C, R=R, crossings=most)


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
    compiled = compiled_is_worth_it(circuit.A.size + circuit.B.size)
    found = arcs_of(plan, bucket, compiled, count)
    weights = bucket_weights(plan, retained, cross, negative_slope(circuit.activation), bucket)
    for first in (True, False):
        sums = TableSums(
            table=circuit.A if first else circuit.B,
            first=first,
            plan=plan,
            bucket=bucket,
            weights=weights,
            found=found,
        )
        if compiled:
            from quadlens.certificates.gate_kernel import add_compiled

            add_compiled(sums, C, R)
        else:
            sums.add(*((C, R) if first else (C.transpose(0, 2, 1), R.T)))
        ends = [one.stops.shape[0] + one.starts.shape[0] for one in found]
        count_table_sums(plan.p, bucket, 2 * weights.kept.size, weights.half_weights.shape[1], ends, count)
    return max((one.starts.shape[0] for one in found), default=0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketWeights:
    """What a bucket's members contribute, and where they lie; the same for both tables.

    ``kept (K,)`` are the places in F of what the bucket retains, ``u_hat (members, K)`` its coefficients and
    ``half_weights (members, channels)`` those of ρ̄, both times ``1 − α``. With its gate shut a neuron still gives
    ``shut`` times what opening it adds: 0 for ReLU. ``position (3G + 1,)`` is how many members have a cell below c,
    twice round; then 0, where padded arc ends find the empty sum.
    """

    kept: IntArray
    u_hat: ComplexArray
    half_weights: FloatArray
    shut: float
    position: IntArray


def bucket_weights(plan: Plan, retained: Retained, cross: FloatArray, slope: float, bucket: Bucket) -> BucketWeights:
    """Return what a bucket's members contribute; ``cross`` holds ``V_i``, ``slope`` is α, the activation's below 0."""
    members, own = bucket.members, plan.own(bucket)
    kept = np.array([plan.retained.index(z) for z in bucket.retained], dtype=np.int64)
    below = np.searchsorted(plan.cell[members], np.arange(plan.cells))
    wave = retained.u_hat[members, own] if own is not None else None
    # h = α y + (1 − α)(g y + ρ): both parts of the bracket come in units of 1 − α
    return BucketWeights(
        kept=kept,
        u_hat=(1 - slope) * retained.u_hat[np.ix_(members, kept)],
        half_weights=(1 - slope) * half_weights(wave, cross[members], bucket.cross),
        shut=slope / (1 - slope),
        position=np.concatenate([below, below, np.zeros(plan.cells + 1, dtype=below.dtype)]),
    )


def half_weights(wave: ComplexArray | None, cross: FloatArray, ratio: float) -> FloatArray:
    """Return ½w and ½û° (its two parts) for each neuron, shape (members, 3), or ½w alone without an own frequency."""
    if wave is None:
        return np.asarray(0.5 * (cross / ratio)[:, None])
    return np.asarray(0.5 * np.stack([np.maximum(np.abs(wave), cross / ratio), wave.real, wave.imag], axis=1))


def count_table_sums(
    p: int, bucket: Bucket, parts: int, channels: int, ends: list[int], count: OperationCounter
) -> None:
    """Count what building and reading one table's prefix sums takes, by any way; ``ends`` of each threshold's arcs."""
    entries, levels, zero = p * bucket.members.size, bucket.levels.size + 1, bucket.levels.size
    count.add(entries, 2 + 4 * levels + 2 * channels)
    count.add(entries, 2 * levels - 1, 1 + 2 * channels)
    count.add(2 * entries, parts)
    count.add(p * p, channels * sum(ends) + parts * ends[zero] + parts + channels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableSums:
    """Prefix sums of one table ``(p, n)`` over one bucket's members, built and read in blocks of residues.

    ``found`` are the bucket's arcs by threshold.
    """

    table: FloatArray
    first: bool
    plan: Plan
    bucket: Bucket
    weights: BucketWeights
    found: list[Arcs]

    @property
    def curve(self) -> FloatArray:
        """The table's waveform."""
        return self.bucket.A if self.first else self.bucket.B

    @property
    def own(self) -> int | None:
        """The place in F of the bucket's own frequency, or None."""
        return self.plan.own(self.bucket)

    @property
    def last(self) -> tuple[FloatArray, FloatArray]:
        """What H is made of in the last cell of all, by this table's residue and by the other's.

        There a walk round the circle begins: the zone of their sum is that of every neuron before the first arc end.
        """
        at = (self.plan.shifts(self.bucket.frequency) - 1) % self.plan.cells
        mine, other = (self.bucket.A, self.bucket.B) if self.first else (self.bucket.B, self.bucket.A)
        return mine[at], other[at]

    def add(self, C: ComplexArray, R: FloatArray) -> None:
        """Add to C and R, whose rows (the last axis but one) are this table's residues."""
        p, members = self.table.shape[0], self.bucket.members
        kept, channels = self.weights.u_hat.shape[1], self.weights.half_weights.shape[1]
        rows = max(1, min(p, BLOCK // ((members.size + 1) * (2 * kept + channels))))
        r = self.plan.amplitude[members]
        at = self.plan.cell[members]
        shift, own = self.plan.shifts(self.bucket.frequency), self.own
        zero = self.bucket.levels.size
        last = zones(np.add.outer(*self.last), thresholds_of(self.bucket))
        for start in range(0, p, rows):
            block = slice(start, min(start + rows, p))
            table = self.table[block, members]
            delta = table - r * self.curve[(at + shift[block, None]) % self.plan.cells]
            residuals = self._zones(delta, r)
            # with every neuron in the lowest zone; then each threshold's change for all of them
            lowest = residuals[0] @ self.weights.half_weights
            prefix = _prefix(np.diff(residuals, axis=0)[..., None] * self.weights.half_weights)
            everywhere = np.cumsum(np.concatenate([lowest[None], prefix[:, :, -1]]), axis=0)
            midpoint = self._read(prefix, everywhere, last[block], self.found, block)
            prefix = _prefix((table[:, :, None] * self.weights.u_hat).view(np.float64)[None])
            on = np.stack([self.weights.shut * prefix[0, :, -1], (1 + self.weights.shut) * prefix[0, :, -1]])
            sums = self._read(prefix, on, (last[block] > zero).astype(np.int8), [self.found[zero]], block)
            C[self.weights.kept, block] += np.moveaxis(sums.view(np.complex128), 2, 0)
            R[block] += midpoint[:, :, 0]
            if own is not None:
                C[own, block] += midpoint[:, :, 1] + 1j * midpoint[:, :, 2]

    def _zones(self, delta: FloatArray, r: FloatArray) -> FloatArray:
        """Return this table's part of ρ̄ in each zone of H, from the lowest (−∞, −l_J] to the highest (l_J, ∞)."""
        halves = 0.5 * np.array([0.0, *self.bucket.levels])[:, None, None] * r
        return np.asarray(np.maximum(np.concatenate([delta - halves[::-1], -delta - halves]), 0.0))

    def _read(
        self, prefix: FloatArray, everywhere: FloatArray, last: Zones, found: list[Arcs], block: slice
    ) -> FloatArray:
        """Return the sums for the block's residues and every residue of the other table, shape (rows, p, channels).

        ``prefix`` (thresholds, rows, members + 1, channels) belongs to ``found``; ``everywhere`` (zones, rows,
        channels) is the sum with every neuron in one zone. From the zone ``last`` (rows, p) of the last cell, each arc
        end on the way round adds or takes away.
        """
        p, cells, k = self.plan.p, self.plan.cells, self.bucket.frequency
        _, rows, width, channels = prefix.shape
        flat = prefix.reshape(-1, channels)
        mine, other = np.arange(block.start, block.stop)[:, None], np.arange(p)
        s = k * (mine - other if self.first else other - mine) % p
        shift = self.plan.shifts(k)
        t = shift[other][None, :] if self.first else shift[block, None]
        row = np.arange(rows)[:, None]
        out = everywhere.reshape(-1, channels).take(last.astype(np.int64) * rows + row, axis=0)
        for number, one in enumerate(found):
            first = (number * rows + row) * width
            for cell in one.stops:
                out += flat.take(first + self.weights.position[cell[s] + (cells - t)], axis=0)
            for cell in one.starts:
                out -= flat.take(first + self.weights.position[cell[s] + (cells - t)], axis=0)
        return np.asarray(out)


def _prefix(values: FloatArray) -> FloatArray:
    """Return the sums over the members before each position; the members are the last axis but one."""
    out = np.zeros((*values.shape[:-2], values.shape[-2] + 1, values.shape[-1]))
    np.cumsum(values, axis=-2, out=out[..., 1:, :])
    return out


def _add_solo(circuit: Circuit, plan: Plan, retained: Retained, C: ComplexArray, count: OperationCounter) -> None:
    """Add the solo neurons, evaluated for every input."""
    if not plan.solo.size:
        return
    p, kept, act = plan.p, len(plan.retained), activation_named(circuit.activation).apply
    u_hat = retained.u_hat[plan.solo]
    parts = np.concatenate([u_hat.real, u_hat.imag], axis=1)
    rows = max(1, BLOCK // (p * plan.solo.size))
    for start in range(0, p, rows):
        block = slice(start, min(start + rows, p))
        hidden = act(circuit.A[block, None, plan.solo] + circuit.B[None, :, plan.solo])
        values = hidden @ parts
        C[:, block] += np.moveaxis(values[:, :, :kept] + 1j * values[:, :, kept:], 2, 0)
    count.add(p * p * plan.solo.size, 2 + 4 * kept)
