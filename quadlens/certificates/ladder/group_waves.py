r"""One frequency group of the ladder: its neurons' tables, those that waves make, and how far the first stray."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.certificates.compute.compiled import kernel
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.ladder.circle_sums import Tables
from quadlens.circuits.circuit import Circuit
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.waveform import group_waveform
from quadlens.rounding import UNIT_ROUNDOFF, gamma


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaveTables:
    """Tables of rank 5: ``basis (p, 5)`` are the waves at k and 2k and a constant, the factors ``(5, members)``."""

    basis: FloatArray
    of_A: FloatArray
    of_B: FloatArray

    def A(self, rows: slice) -> FloatArray:
        """Return rows of A, shape (rows, members)."""
        return np.asarray(self.basis[rows] @ self.of_A)

    def B(self, rows: slice) -> FloatArray:
        """Return rows of B, shape (rows, members)."""
        return np.asarray(self.basis[rows] @ self.of_B)

    def columns(self, block: slice) -> list[FloatArray]:
        """Return some neurons' columns of A and of B, each (block, p)."""
        return [np.ascontiguousarray((self.basis @ factors[:, block]).T) for factors in (self.of_A, self.of_B)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupWaves:
    """A group's members with their amplitudes and phases; ``coefficients (p, 3)`` are those of its mean waveform.

    ``own`` and ``mean`` are the tables of rungs 2 and 3; ``spread (members,)`` is at least how far they differ.
    ``size (members,)`` bounds every entry of a member's tables on any rung, those of A and of B together, and
    ``top (members,)`` is its largest ``|U[i, c]|``.
    """

    group: FrequencyGroup
    r: FloatArray
    phi: FloatArray
    coefficients: ComplexArray
    own: WaveTables
    mean: WaveTables
    spread: FloatArray
    size: FloatArray
    top: FloatArray


def group_waves(circuit: Circuit, form: AmplitudePhaseForm) -> list[GroupWaves]:
    """Return what the ladder needs of every group: O(pn)."""
    largest = sizes(circuit).by_table
    return [_of_group(form, group, largest) for group in form.groups]


def _of_group(form: AmplitudePhaseForm, group: FrequencyGroup, largest: Mapping[str, FloatArray]) -> GroupWaves:
    i = group.members
    r, phi = form.r[i], form.phi[i]
    mean = [np.full(i.size, x, dtype=np.complex128) for x in (group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)]
    own = [x[i] for x in (form.e_A, form.e_B, form.s_A, form.s_B, form.kappa.astype(np.complex128))]
    moduli = [sum(np.abs(x) for x in numbers) for numbers in (own, mean)]
    return GroupWaves(
        group=group,
        r=r,
        phi=phi,
        coefficients=group_waveform(form.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa),
        own=_tables(form, group, own),
        mean=_tables(form, group, mean),
        spread=r * sum(np.abs(x - y) for x, y in zip(own, mean, strict=True)) + 64 * UNIT_ROUNDOFF * r * sum(moduli),
        size=largest["A"][i] + largest["B"][i] + r * (moduli[0] + moduli[1]),
        top=largest["U"][i],
    )


def network_tables(circuit: Circuit, members: IntArray) -> Tables:
    """Return the network's own tables of some neurons."""
    return Tables(A=lambda rows: circuit.A[rows][:, members], B=lambda rows: circuit.B[rows][:, members])


def _tables(form: AmplitudePhaseForm, group: FrequencyGroup, numbers: list[ComplexArray]) -> WaveTables:
    """Return the tables ``r Re[e e^{iθ} + s e^{2iθ}]``, for B with rκ."""
    e_A, e_B, s_A, s_B, kappa = numbers
    i, p = group.members, form.p
    turn = form.r[i] * np.exp(1j * form.phi[i])
    twice = turn * np.exp(1j * form.phi[i])
    wave = np.exp(2j * np.pi / p * (np.outer(np.arange(p), [group.frequency, 2 * group.frequency]) % p))

    def factors(e: ComplexArray, s: ComplexArray, constant: FloatArray) -> FloatArray:
        first, second = e * turn, s * twice
        return np.stack([first.real, second.real, first.imag, second.imag, constant])

    return WaveTables(
        basis=np.concatenate([wave.real, -wave.imag, np.ones((p, 1))], axis=1),
        of_A=factors(e_A, s_A, 0 * form.r[i]),
        of_B=factors(e_B, s_B, form.r[i] * kappa.real),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strays:
    """How far a group's neurons stray from the mean waveform, δ = y − x: upper bounds.

    ``levels (members,)``: beyond this |H| a gate is as the waveform says. ``energy (members,)``: the sum over all
    inputs of ``(act(y) − act(x))²``.
    """

    levels: FloatArray
    energy: FloatArray


def no_limit(waves: GroupWaves) -> Strays:
    """Return what says nothing of how far neurons stray."""
    return Strays(levels=np.full(waves.r.size, np.inf), energy=np.full(waves.r.size, np.inf))


def strays(circuit: Circuit, waves: GroupWaves, slope: float) -> Strays:
    """Return how far the neurons stray: O(p m log p).

    With a = |α|: ``(act(y) − act(x))² ≤ a δ² + (1−a)(δ² [x > 0] + y² [x ≤ 0 < y])``, and where ``x ≤ 0 < y`` with
    ``δ ≤ Δ``, y is at most ``x + Δ``: sums over pairs (a, b) of what is sorted by the waveform.
    """
    i, p, m = waves.group.members, circuit.p, waves.r.size
    delta, energy = np.zeros(m), np.zeros(m)
    rounding = 256 * UNIT_ROUNDOFF * waves.size

    def work(block: slice) -> None:
        xs = waves.mean.columns(block)
        ds = [np.ascontiguousarray(t[:, i[block]].T) - x for t, x in zip((circuit.A, circuit.B), xs, strict=True)]
        # the mean over a moved to B
        mean = ds[0].mean(axis=1, keepdims=True)
        ds = [ds[0] - mean, ds[1] + mean]
        rise = sum(np.maximum(d.max(axis=1), 0) for d in ds)
        fall = sum(np.maximum(-d.min(axis=1), 0) for d in ds)
        delta[block] = np.maximum(rise, fall) + 2 * rounding[block]
        order = np.argsort(-xs[1], axis=1)
        found = np.zeros((2, rise.size))
        active_energy(Pair(*ds), Pair(*xs), order, rise + 2 * rounding[block], found)
        squares = [np.einsum("ia,ia->i", d, d) for d in ds]
        whole = p * sum(squares) + 2 * ds[0].sum(axis=1) * ds[1].sum(axis=1)
        lost = gamma(16 * p) * (2 * p * sum(squares) + p * p * (waves.size[block] * delta[block]))
        total = abs(slope) * np.maximum(whole, 0) + (1 - abs(slope)) * np.maximum(found.sum(axis=0), 0) + lost
        energy[block] = (np.sqrt(total) + 2 * p * rounding[block]) ** 2 * (1 + gamma(64))

    in_parallel(work, blocks_of(m, BLOCK // p))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        levels = np.where(delta > 0, delta / waves.r * (1 + 1e-12), 0.0)
    return Strays(levels=np.where(np.isnan(levels), np.inf, levels), energy=energy)


def widest(circuit: Circuit, waves: GroupWaves, out: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``Σ_i |δA_i(a)| out_i`` for every a and ``Σ_i |δB_i(b)| out_i`` for every b, from above."""
    i, p, found = waves.group.members, circuit.p, []
    room = 256 * UNIT_ROUNDOFF * float(waves.size @ out)
    for table, own in ((circuit.A, waves.mean.A), (circuit.B, waves.mean.B)):
        sums = [np.abs(table[rows][:, i] - own(rows)) @ out for rows in blocks_of(p, BLOCK // i.size)]
        found.append((np.concatenate(sums) + room) * (1 + gamma(2 * i.size + 64)))
    return found[0], found[1]


class Pair(NamedTuple):
    """What neurons have at each residue a and at each b, both (neurons, p)."""

    A: FloatArray
    B: FloatArray


@kernel()
def active_energy(d: Pair, x: Pair, order: IntArray, reach: FloatArray, out: FloatArray) -> None:
    """Write ``Σ_{x>0} (δA + δB)²`` and ``Σ_{−Δ<x≤0} (x + Δ)²`` of each neuron; ``order``: B in falling order of x."""
    (dA, dB), (xA, xB) = d, x
    p = dA.shape[1]
    sums = np.zeros((p + 1, 4))
    for i in range(dA.shape[0]):
        for place in range(p):
            b = order[i, place]
            sums[place + 1, 0] = sums[place, 0] + dB[i, b]
            sums[place + 1, 1] = sums[place, 1] + dB[i, b] * dB[i, b]
            sums[place + 1, 2] = sums[place, 2] + xB[i, b]
            sums[place + 1, 3] = sums[place, 3] + xB[i, b] * xB[i, b]
        active = near = 0.0
        for a in range(p):
            ends = np.zeros(2, dtype=np.int64)
            for which in range(2):
                above = -xA[i, a] - which * reach[i]
                low, high = 0, p
                while low < high:
                    middle = (low + high) // 2
                    if xB[i, order[i, middle]] > above:
                        low = middle + 1
                    else:
                        high = middle
                ends[which] = low
            on, close = ends[0], ends[1]
            active += on * dA[i, a] * dA[i, a] + 2 * dA[i, a] * sums[on, 0] + sums[on, 1]
            if close > on:
                up = xA[i, a] + reach[i]
                near += (close - on) * up * up
                near += 2 * up * (sums[close, 2] - sums[on, 2]) + sums[close, 3] - sums[on, 3]
        out[0, i], out[1, i] = active, near
