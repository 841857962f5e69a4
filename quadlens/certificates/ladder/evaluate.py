r"""The rungs at the retained output frequencies, on all inputs, block by block: what is added up of them.

The network's part at z is ``E_z = Σ_γ E_{γ,z}``; a finite rung or an integral has parts at the keys only. All terms are
differences of these, so they telescope exactly; what is not retained belongs to the network alone, and so to the first
term.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.ladder.circle_sums import Tables
from quadlens.certificates.ladder.group_sums import group_sums
from quadlens.certificates.ladder.group_waves import GroupWaves, network_tables
from quadlens.certificates.ladder.rest import output_waves
from quadlens.certificates.ladder.retained import Retained
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import margins
from quadlens.decomposition.rungs import RUNGS, ideal_sum, largest_entries, wave_logits
from quadlens.form.amplitude_phase import AmplitudePhaseForm

BLOCK_BYTES = 2**28
"""What the sums of one block of rows may take."""

SEARCHED = 256
"""Inputs written out together in the search for the largest logit,"""

LOOKS = 2
"""and how often in one block of rows; where all logits of the network are written out, as often as it takes."""


class Found:
    """Sums over blocks: squares by term (of each group, and at each z of the whole), largest logits from both sides.

    ``distance (6, z)`` are squares of the distance to every rung, ``ideal (z,)`` to the main groups' refined limit,
    ``exact (z,)`` of the network itself; all summed over inputs. ``first_seen`` is the first term's largest logit on
    the inputs that were written out in full.
    """

    def __init__(self, groups: int, half: int) -> None:
        terms = len(RUNGS)
        self.parts = np.zeros((terms, groups, half))
        self.first = np.zeros(half)
        self.distance = np.zeros((terms, half))
        self.ideal, self.exact = np.zeros(half), np.zeros(half)
        self.part_largest, self.part_at_most = np.zeros((terms, groups)), np.zeros((terms, groups))
        self.largest, self.at_most = np.zeros(terms), np.zeros(terms)
        self.exact_largest = self.first_seen = 0.0
        self.telescoping = 0.0
        self.right, self.inputs = np.zeros(1 + terms), 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rungs:
    """What a block is made from; ``waves`` and ``levels`` by group, ``responses`` the integrals of the last two rungs.

    ``sample`` are inputs ``a p + b`` on which answers are counted, None for all of them.
    """

    circuit: Circuit
    form: AmplitudePhaseForm
    waves: list[GroupWaves]
    levels: list[FloatArray]
    retained: Retained
    responses: list[ComplexArray]
    sample: IntArray | None

    @property
    def keys(self) -> IntArray:
        """The groups' key frequencies."""
        return np.array([one.group.frequency for one in self.waves])

    @property
    def looks(self) -> int:
        """How often inputs may be written out in the search for one largest logit of a block."""
        return LOOKS if self.sample is not None else self.circuit.p**2

    @property
    def rows(self) -> int:
        """How many rows of inputs a block has."""
        p, groups = self.circuit.p, len(self.waves)
        numbers = 2 * self.retained.frequencies.size + 6 * groups + 3 * int(self.retained.kept.sum(axis=1).max()) + 8
        if self.sample is None:
            numbers += 4 * p
        return max(1, min(p, BLOCK_BYTES // (16 * p * numbers)))


class _Group:
    """One group's sums for a block of rows; what is chosen once is kept."""

    def __init__(self, rungs: Rungs, number: int) -> None:
        circuit, form, waves = rungs.circuit, rungs.form, rungs.waves[number]
        i, key = waves.group.members, waves.group.frequency
        self.z = rungs.retained.of_group(number)
        self.own = int(np.searchsorted(self.z, key))
        u = output_waves(circuit, i, self.z)
        v = form.u[i] * np.exp(1j * form.psi[i])
        u[:, self.own] = v
        both = np.stack([v, form.u[i] * np.exp(2j * form.phi[i])], axis=1)
        silent = np.where(waves.r > 0, 0.0, np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(waves.r > 0, waves.spread / waves.r, np.inf)
        jobs: list[tuple[Tables, ComplexArray, FloatArray]] = [
            (network_tables(circuit, i), u, rungs.levels[number]),
            (Tables(A=waves.own.A, B=waves.own.B), v[:, None], spread),
            (Tables(A=waves.mean.A, B=waves.mean.B), both, silent),
        ]
        self.of_rows = [group_sums(circuit.activation, waves, *job) for job in jobs]

    def sums(self, rows: slice) -> list[ComplexArray]:
        """Return the sums of the network (rows, p, z), of rung 2, and of rungs 3 and 4."""
        return [of_rows(rows) for of_rows in self.of_rows]


def evaluate(rungs: Rungs, report: Callable[[float], None]) -> Found:
    """Run every block of rows."""
    p, form = rungs.circuit.p, rungs.form
    found = Found(len(rungs.waves), p // 2)
    groups = [_Group(rungs, number) for number in range(len(rungs.waves))]
    frequencies = rungs.retained.frequencies
    for start in range(0, p, rungs.rows):
        rows = slice(start, min(start + rungs.rows, p))
        E = np.zeros((rows.stop - start, p, frequencies.size), dtype=np.complex128)
        z = np.zeros((6, rows.stop - start, p, len(groups)), dtype=np.complex128)
        for number, group in enumerate(groups):
            network, own, mean = group.sums(rows)
            if group.z.size == frequencies.size:
                E += network
            else:
                E[..., np.searchsorted(frequencies, group.z)] += network
            z[0, ..., number], z[1, ..., number] = network[..., group.own], own[..., 0]
            z[2, ..., number], z[3, ..., number] = mean[..., 0], mean[..., 1]
            network[..., group.own] = 0
            size = np.abs(network)
            found.parts[0, number, group.z - 1] += np.einsum("abz,abz->z", size, size)
            ends = _largest(network, group.z, size.sum(axis=-1), found.part_largest[0, number], rungs.looks)
            found.part_largest[0, number] = ends[0]
            found.part_at_most[0, number] = max(found.part_at_most[0, number], ends[1])
        z[4], z[5] = (ideal_sum(one, form, rows) for one in rungs.responses)
        _add(found, rungs, rows, E, z)
        report(rows.stop / p)
    return found


def _add(found: Found, rungs: Rungs, rows: slice, E: ComplexArray, z: ComplexArray) -> None:
    p, keys, frequencies = rungs.circuit.p, rungs.keys, rungs.retained.frequencies
    own = np.searchsorted(frequencies, keys)
    counted = np.isin(keys, [group.frequency for group in rungs.form.main_groups])
    squares = _squares(E)
    found.exact[frequencies - 1] += squares
    # a rung differs from the network at the keys only
    for rung in range(6):
        left = squares.copy()
        left[own] = _squares(E[..., own] - z[rung])
        found.distance[rung, frequencies - 1] += left
    left = squares.copy()
    left[own[counted]] = _squares(E[..., own[counted]] - z[4][..., counted])
    found.ideal[frequencies - 1] += left
    others = E.copy()
    others[..., own] -= z[0]
    found.first[frequencies - 1] += _squares(others)
    _search(found, 0, _largest(others, frequencies, np.abs(others).sum(axis=-1), found.largest[0], rungs.looks))
    total = others[..., own]
    for term in range(1, 6):
        change = z[term - 1] - z[term]
        total += change
        found.parts[term, np.arange(keys.size), keys - 1] += _squares(change)
        tops = largest_entries(change, keys, p)
        found.part_largest[term] = np.maximum(found.part_largest[term], tops.max(axis=(0, 1)))
        _search(found, term, _largest(change, keys, tops.sum(axis=-1), found.largest[term], rungs.looks))
    missed = np.abs(total - (E[..., own] - z[5])).sum(axis=-1)
    found.telescoping = max(found.telescoping, float(missed.max()))
    _answers(found, rungs, rows, E, z)


def _search(found: Found, term: int, ends: tuple[float, float]) -> None:
    found.largest[term], found.at_most[term] = ends[0], max(found.at_most[term], ends[1])


def _squares(z: ComplexArray) -> FloatArray:
    """Return the sum of ``|z|²`` over all inputs of a block (rows, p, z)."""
    return np.asarray(np.einsum("abz,abz->z", z.real, z.real) + np.einsum("abz,abz->z", z.imag, z.imag))


def _answers(found: Found, rungs: Rungs, rows: slice, E: ComplexArray, z: ComplexArray) -> None:
    """Count the right answers of the network and of every rung, on all inputs or on the sample."""
    p, keys = rungs.circuit.p, rungs.keys
    if rungs.sample is None:
        logits = [wave_logits(E, rungs.retained.frequencies, p), *(wave_logits(one, keys, p) for one in z)]
        found.exact_largest = max(found.exact_largest, float(np.abs(logits[0]).max()))
        found.right += [float((margins(one, rows) > 0).sum()) for one in logits]
        found.inputs += logits[0].shape[0] * p
        return
    here = rungs.sample[(rungs.sample >= rows.start * p) & (rungs.sample < rows.stop * p)]
    if not here.size:
        return
    a, b = np.divmod(here, p)
    circuit = rungs.circuit
    hidden = activation_named(circuit.activation).apply(circuit.A[a] + circuit.B[b])
    exact = hidden @ circuit.U
    exact -= exact.mean(axis=1, keepdims=True)
    found.exact_largest = max(found.exact_largest, float(np.abs(exact).max()))
    first = exact - wave_logits(z[0, a - rows.start, b], keys, p)
    found.first_seen = max(found.first_seen, float(np.abs(first).max()))
    for index, single in enumerate([exact, *(wave_logits(one[a - rows.start, b], keys, p) for one in z)]):
        right = single[np.arange(a.size), (a + b) % p].copy()
        single[np.arange(a.size), (a + b) % p] = -np.inf
        found.right[index] += float((right > single.max(axis=1)).sum())
    found.inputs += here.size


def _largest(
    z: ComplexArray, frequencies: IntArray, reach: FloatArray, least: float, looks: int
) -> tuple[float, float]:
    """Return two ends of ``max |Re Σ_z z e^{iωzc}|`` over a block (rows, p, z) and what is known of it, ``least``.

    Inputs with the largest ``reach (rows, p)``, no less than their largest logit, are written out until none can be
    larger, or the number of looks is spent.
    """
    p, reach = z.shape[1], reach.ravel()
    left = np.flatnonzero(reach > least)
    for _ in range(looks):
        if not left.size:
            break
        if left.size > SEARCHED:
            left = left[np.argpartition(-reach[left], SEARCHED)]
        some = z.reshape(-1, frequencies.size)[left[:SEARCHED]]
        least = max(least, float(np.abs(wave_logits(some, frequencies, p)).max()))
        left = left[SEARCHED:][reach[left[SEARCHED:]] > least]
    return least, max(least, float(reach[left].max(initial=0.0)))
