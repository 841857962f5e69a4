r"""Curves that neurons share: coefficients of each neuron's waveform, means over neurons, splits into similar ones.

    A[a, i] = r_i Re Σ_m α_{i,m} e^{imθ},   θ = ωka + φ_i,   α_{i,m} = ν_m Â_{mk} e^{−imφ_i} / r_i      (and β for B)

``m = 0 … ⌊o/2⌋`` with ``o`` the order of k mod p, for prime p all of A, but no more than ``HARMONICS``. ``φ_i`` is the
phase of the neuron's cell.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter, transform_operations
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import LIMIT, SCALE, Bucket, Waveforms, quantised
from quadlens.circuits.circuit import Circuit

SIGNIFICANT = 3.0
"""A harmonic enters a curve if its mean over the neurons is this many standard errors from zero."""

SPLIT_GAIN = 0.15
"""A bucket is split if that lowers its cost by this fraction at least."""

FEATURES = 12
"""Coefficients that a split looks at: those that spread most."""

LEAST_CROSS = 2.0**-10
"""Least cross ratio: rounding errors of V are divided by it."""

HARMONICS = 8
"""Highest harmonic of a curve."""

CLEAN = 0.022
"""Below this root mean square residual, relative to r, one level does: so few neurons are near a zero of H."""

LEVELS = {1: (2.5,), 2: (1.5, 5.0), 3: (1.2, 3.5, 9.0), 4: (0.8, 2.0, 4.5, 10.0), 5: (0.6, 1.4, 3.0, 6.0, 12.0)}
"""Levels of |H| in units of the bucket's root mean square residual."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coefficients:
    """``alpha`` and ``beta`` stacked: shape (2, harmonics, members); ``norm`` (harmonics,) is each one's mean
    square; ``outside`` (members,) the mean square of what is in no harmonic here, the mean of both tables.
    """

    stacked: ComplexArray
    norm: FloatArray
    outside: FloatArray

    def take(self, index: IntArray) -> "Coefficients":
        """Return the coefficients of some of the members."""
        return Coefficients(stacked=self.stacked[:, :, index], norm=self.norm, outside=self.outside[index])

    def mean(self, weight: FloatArray) -> ComplexArray:
        """Return the weighted mean over members, shape (2, harmonics)."""
        return np.asarray((self.stacked * (weight / weight.sum())).sum(axis=2))

    def spread(self, weight: FloatArray, count: OperationCounter) -> FloatArray:
        """Return each member's mean square distance from the mean curves, shape (members,)."""
        apart = np.abs(self.stacked - self.mean(weight)[:, :, None]) ** 2
        count.add(8 * self.stacked.size)
        return np.asarray(np.einsum("tmi,m->i", apart, self.norm) / 2 + self.outside)


def harmonics_of(table: FloatArray, members: IntArray, frequencies: IntArray, count: OperationCounter) -> ComplexArray:
    """Return ``(1/p) Σ_a table[a, i] e^{−iωqa}`` for the given q and columns i, shape (frequencies, members)."""
    p = table.shape[0]
    wave = np.exp(-2j * np.pi / p * (np.outer(frequencies, np.arange(p)) % p)) / p
    parts = np.concatenate([wave.real, wave.imag])
    out = np.empty((frequencies.size, members.size), dtype=np.complex128)

    def work(block: slice) -> None:
        found = parts @ _columns(table, members[block])
        out[:, block] = found[: frequencies.size] + 1j * found[frequencies.size :]

    in_parallel(work, blocks_of(members.size, max(64, BLOCK // p)))
    count.add(4 * p, members.size, frequencies.size)
    return out


def _columns(table: FloatArray, members: IntArray) -> FloatArray:
    """Return some columns of a table, without copying them where they lie side by side."""
    if members.size and members[-1] - members[0] + 1 == members.size and (np.diff(members) == 1).all():
        return table[:, members[0] : members[-1] + 1]
    return np.take(table, members, axis=1)


def column_energy(circuit: Circuit, count: OperationCounter) -> FloatArray:
    """Return the mean squares of the columns of A and of B, shape (2, n)."""
    out = np.empty((2, circuit.neurons))

    def work(block: slice) -> None:
        for row, table in zip(out, (circuit.A, circuit.B), strict=True):
            row[block] = np.einsum("ai,ai->i", table[:, block], table[:, block]) / circuit.p

    in_parallel(work, blocks_of(circuit.neurons, max(64, BLOCK // circuit.p)))
    count.add(4 * circuit.p, circuit.neurons)
    return out


def coefficients(
    circuit: Circuit,
    energy: FloatArray,
    members: IntArray,
    k: int,
    amplitude: FloatArray,
    cell: IntArray,
    cells: int,
    count: OperationCounter,
) -> Coefficients:
    """Return the waveform coefficients of a group's members; ``energy`` is ``column_energy``."""
    p = circuit.p
    order = p // gcd(k, p)
    m = np.arange(min(order // 2, HARMONICS) + 1)
    factor = np.where((m == 0) | (2 * m == order), 1.0, 2.0)
    norm = np.where(factor == 1, 1.0, 0.5)
    roots = np.exp(-2j * np.pi / cells * np.arange(cells))
    turn = roots[np.outer(m, cell[members]) % cells]
    r = amplitude[members]
    scale = np.divide(1.0, r, out=np.zeros(r.size), where=r > 0)
    both, outside = [], np.zeros(r.size)
    for table, squares in zip((circuit.A, circuit.B), energy, strict=True):
        value = harmonics_of(table, members, m * k % p, count) * turn * scale * factor[:, None]
        both.append(value)
        whole = squares[members] * scale**2
        left = whole - norm @ np.abs(value) ** 2
        # a difference of equal numbers is rounding
        outside += np.where(left > 1e-12 * whole, left, 0.0) / 2
    count.add(2 * 8 * m.size, members.size)
    stacked = np.nan_to_num(np.array(both), nan=0.0, posinf=LIMIT, neginf=-LIMIT)
    return Coefficients(stacked=stacked, norm=norm, outside=np.nan_to_num(outside, posinf=LIMIT))


def mean_curves(
    coefficients: Coefficients, weight: FloatArray, cells: int, count: OperationCounter
) -> tuple[FloatArray, FloatArray]:
    """Return the curves ``A, B`` (G,) of the weighted mean, of its significant harmonics only."""
    mean = coefficients.mean(weight)
    share = weight / weight.sum()
    variance = (np.abs(coefficients.stacked - mean[:, :, None]) ** 2) @ share
    significant = np.abs(mean) ** 2 > SIGNIFICANT**2 * variance * float((share**2).sum())
    half = np.zeros((2, cells // 2 + 1), dtype=np.complex128)
    half[:, : mean.shape[1]] = np.where(significant, mean, 0.0) * (cells / 2)
    half[:, 0] *= 2
    curves = np.fft.irfft(half, cells, axis=1)
    count.add(8, coefficients.stacked.size)
    count.add(2, transform_operations(cells))
    return quantised(curves[0]), quantised(curves[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    group: int
    index: IntArray
    cost: float
    features: FloatArray


def split_buckets(
    groups: list[Waveforms],
    curves: list[Coefficients],
    weight: FloatArray,
    solo: IntArray,
    most: int,
    cells: int,
    count: OperationCounter,
) -> list[tuple[Waveforms, float]]:
    """Share out the neurons that are not solo over buckets of similar waveform, ``most`` or one for each group.

    With each comes the root mean square of what its curves leave of its members' tables, relative to r.
    """
    pieces = []
    for number, (group, mine) in enumerate(zip(groups, curves, strict=True)):
        index = np.flatnonzero(~np.isin(group.members, solo))
        if index.size:
            pieces.append(_piece(number, index, group, mine, weight, count))
    done: list[_Piece] = []
    while pieces and len(pieces) + len(done) < most:
        pieces.sort(key=lambda piece: piece.cost)
        costliest = pieces.pop()
        group, mine = groups[costliest.group], curves[costliest.group]
        halves = _halves(costliest, weight[group.members[costliest.index]], count)
        if halves is None:
            done.append(costliest)
            continue
        parts = [_piece(costliest.group, costliest.index[half], group, mine, weight, count) for half in halves]
        if sum(part.cost for part in parts) > (1 - SPLIT_GAIN) * costliest.cost:
            done.append(costliest)
        else:
            pieces += parts
    out = []
    for piece in sorted(pieces + done, key=lambda piece: (piece.group, int(piece.index[0]))):
        members = groups[piece.group].members[piece.index]
        mine = curves[piece.group].take(piece.index)
        A, B = mean_curves(mine, weight[members], cells, count)
        square = piece.cost / (2 * float(weight[members].sum())) + float(
            np.average(mine.outside, weights=weight[members])
        )
        part = Waveforms(frequency=groups[piece.group].frequency, members=members, A=A, B=B)
        out.append((part, float(np.sqrt(square))))
    return out


def _piece(
    number: int, index: IntArray, group: Waveforms, mine: Coefficients, weight: FloatArray, count: OperationCounter
) -> _Piece:
    here = mine.take(index)
    own_weight = weight[group.members[index]]
    mean = here.mean(own_weight)
    apart = np.abs(here.stacked - mean[:, :, None]) ** 2
    by_harmonic = (apart @ own_weight) * here.norm
    count.add(10, here.stacked.size)
    top = np.argsort(-by_harmonic.ravel(), kind="stable")[:FEATURES]
    chosen = here.stacked.reshape(-1, index.size)[top] * np.sqrt(np.tile(here.norm, 2)[top])[:, None]
    features = np.concatenate([chosen.real, chosen.imag]).T
    return _Piece(group=number, index=index, cost=float(by_harmonic.sum()), features=features)


def _halves(piece: _Piece, weight: FloatArray, count: OperationCounter) -> tuple[IntArray, IntArray] | None:
    """Return two index sets within the piece, by 2-means from a cut across the widest direction; None if it has
    none."""
    if piece.index.size < 4:
        return None
    share = weight / weight.sum()
    centred = piece.features - share @ piece.features
    direction = centred[np.argmax(share * (centred**2).sum(axis=1))]
    for _ in range(4):
        length = float(np.sqrt(direction @ direction))
        if not (np.isfinite(length) and length > 0):
            return None
        direction = (share * (centred @ (direction / length))) @ centred
    side = centred @ direction > 0
    for _ in range(4):
        if side.all() or not side.any():
            return None
        centres = [np.average(centred[part], axis=0, weights=share[part]) for part in (side, ~side)]
        apart = [((centred - centre) ** 2).sum(axis=1) for centre in centres]
        side = apart[0] < apart[1]
    count.add(4 * 4 + 4 * 8, centred.size)
    if side.all() or not side.any():
        return None
    return np.flatnonzero(side), np.flatnonzero(~side)


def make_bucket(
    part: Waveforms,
    rms: float,
    weight: FloatArray,
    gain: FloatArray,
    cross: FloatArray,
    retained: tuple[int, ...],
    levels: int,
) -> Bucket:
    """Give a part its levels, in units of its residual ``rms``, and its cross ratio."""
    members = part.members
    several = levels if rms > CLEAN else 1
    chosen = np.unique(quantised(np.array(LEVELS[several]) * min(rms, LIMIT)))
    return Bucket(
        frequency=part.frequency,
        members=members,
        A=part.A,
        B=part.B,
        levels=chosen[(chosen > 1 / SCALE) & (chosen < LIMIT)],
        cross=_cross_ratio(cross[members], gain[members], weight[members]),
        retained=retained,
    )


def _cross_ratio(cross: FloatArray, gain: FloatArray, weight: FloatArray) -> float:
    """Return the ``v`` that makes ``Σ_i weight_i max(gain_i, V_i/v)(1 + 2v)/gain`` least among a few quantiles of
    V/gain."""
    if not (gain > 0).any():
        return 1.0
    ratio = np.divide(cross, gain, out=np.full(gain.size, np.inf), where=gain > 0)
    finite = ratio[np.isfinite(ratio) & (ratio > 0)]
    if not finite.size:
        return LEAST_CROSS
    candidates = np.maximum(np.quantile(finite, (0.25, 0.5, 0.75, 0.9, 1.0)), LEAST_CROSS)
    cost = [float((np.maximum(gain, cross / v) @ np.sqrt(weight)) * (1 + 2 * v)) for v in candidates]
    return max(LEAST_CROSS, float(candidates[int(np.argmin(cost))]))
