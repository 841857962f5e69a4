"""How the prover chooses its plan: keys, cells, one curve pair a frequency, retained outputs, bounded neurons."""

from dataclasses import dataclass, replace

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import BoolArray, FloatArray
from quadlens.certificates.plan.curves import Placed, mean_curves
from quadlens.certificates.plan.keys import Keys, keys
from quadlens.certificates.plan.outputs import OutputNeeds, output_needs, retained_outputs
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.certificates.plan.unsettled import candidates_of, evaluated_within, level_of, levels_needed, needs
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

CHEAP = 0.01
"""All neurons of a group are bounded where that costs less than this part of the margin, about, and not all fit."""

TYPICAL = 0.25
"""``ρ̄`` of a neuron that is near, on average, in units of ``Δ``: about (it is an eighth for normal deviations)."""

CHECKED = {"harmonics": 64, "cells": 2**10}
"""The most that the checker takes, so that no certificate can make it work longer than the network does."""

GHOST = 1e-3
"""A group with a smaller share of all neurons' weight, ``Σ r_i ‖U_i‖``, is none."""

SPOKEN_FOR = 64
"""So many neurons of a group, evenly spread, and fewer than twice as many, speak for all where a cost is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much the prover may spend: upper limits, constants that no size of circuit raises.

    ``retained`` output frequencies, ``retained_by_group`` of them in one group; ``harmonics`` of the rest of U one by
    one, ``head`` of them evaluated in (G′); at least ``cells`` phase cells; ``candidates`` times pn gates evaluated.
    """

    retained: int = 14
    retained_by_group: int = 10
    harmonics: int = 8
    head: int = 2
    cells: int = 118
    candidates: int = 32

    def __post_init__(self) -> None:
        least = {"retained": 1, "retained_by_group": 1, "harmonics": 0, "head": 0, "cells": 2, "candidates": 0}
        for name, low in least.items():
            value = getattr(self, name)
            high = CHECKED.get(name, 10**6)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise OptionError(f"{name} must be an integer in {low}..{high}, got {value!r}")


BUDGET = Budget()
"""What trained networks were measured with (docs/certificates.md)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The plan, and ``Δ_i`` of each neuron, no smaller than it is, shape (n,)."""

    plan: Plan
    delta: FloatArray


def choose(circuit: Circuit, budget: Budget) -> Choice:
    """Choose a plan for a circuit within a budget; O(pn) with constants from the budget."""
    slope = negative_slope(circuit.activation)
    found, drafted = draft(circuit, budget)
    left = needs(circuit, drafted)
    outputs = output_needs(circuit, found, drafted, left.square, slope)
    plan = retaining(drafted, outputs, budget)
    return Choice(plan=_bounded(circuit, plan, left.delta, outputs, budget.candidates), delta=left.delta)


def draft(circuit: Circuit, budget: Budget) -> tuple[Keys, Plan]:
    """Return the keys that groups are made of, and a plan that retains and bounds nothing: cells and curves."""
    found = _gathered(circuit, keys(circuit))
    return found, _draft(circuit, found, budget)


def retaining(plan: Plan, outputs: OutputNeeds, budget: Budget) -> Plan:
    """Return the plan with the outputs that are worth it within the budget."""
    retained, chosen = retained_outputs(outputs, budget.retained, budget.retained_by_group)
    groups = tuple(
        replace(group, retained=tuple(np.flatnonzero(mine).tolist()))
        for group, mine in zip(plan.groups, chosen, strict=True)
    )
    return replace(plan, groups=groups, retained=retained)


def _gathered(circuit: Circuit, found: Keys) -> Keys:
    """Return the keys with neurons that hardly matter put, at amplitude 0, into the strongest group.

    Every group costs O(p² + pG): those of dead neurons would cost more than all of their gates.
    """
    length = np.sqrt(np.einsum("ic,ic->i", circuit.U, circuit.U))
    share = np.bincount(found.key, weights=found.amplitude * length, minlength=circuit.p)
    ghosts = share[found.key] < GHOST * share.sum()
    key, amplitude = np.where(ghosts, int(np.argmax(share)), found.key), np.where(ghosts, 0.0, found.amplitude)
    return replace(found, key=key, amplitude=amplitude)


def _draft(circuit: Circuit, found: Keys, budget: Budget) -> Plan:
    """Return a plan that retains nothing and bounds nothing: cells and curves."""
    p, n = circuit.p, circuit.neurons
    grid = max(2, -(-budget.cells // p))
    cells = grid * p
    cell = np.rint(found.phase * (cells / (2 * np.pi))).astype(np.int64) % cells
    # a neuron counts in the mean curve by what it gives to its own frequency of the output
    wave = np.exp(-2j * np.pi / p * np.arange(p))
    gain = np.empty(n)
    frequencies = np.unique(found.key)
    for k in frequencies:
        members = np.flatnonzero(found.key == k)
        own = wave[k * np.arange(p) % p]
        gain[members] = np.hypot(*(np.stack([own.real, own.imag]) @ circuit.U[members].T))
    weight = found.amplitude * gain
    top = float(weight.max())
    weight = np.maximum(weight, 1e-6 * top) if 0 < top < np.inf else np.ones(n)
    groups = []
    for k in map(int, frequencies):
        members = np.flatnonzero(found.key == k)
        members = members[np.argsort(cell[members], kind="stable")]
        placed = Placed(
            members=members,
            cell=cell[members],
            cells=cells,
            amplitude=found.amplitude[members],
            weight=weight[members],
        )
        A, B = mean_curves(circuit, placed, k)
        groups.append(Group(frequency=k, members=members, A=A, B=B, level=0.0, retained=()))
    harmonics = min(budget.harmonics, (cells - 1) // 2)
    return Plan(
        p=p,
        grid=grid,
        cell=cell,
        amplitude=found.amplitude,
        groups=tuple(groups),
        bounded=np.zeros(n, dtype=np.bool_),
        harmonics=harmonics,
        head=min(budget.head, harmonics),
        retained=(),
    )


def _bounded(circuit: Circuit, plan: Plan, delta: FloatArray, outputs: OutputNeeds, candidates: int) -> Plan:
    """Return the plan with its bounded neurons: none where ``candidates · pn`` looks at gates are enough for all; else
    those of groups where it costs little, and the least unsettled of the others as far as needed."""
    slope, most = negative_slope(circuit.activation), candidates * plan.p * plan.cell.size
    bounded = np.zeros(plan.cell.size, dtype=np.bool_)
    levels, count = np.zeros(plan.cell.size), np.zeros(plan.cell.size, dtype=np.int64)
    for group in plan.groups:
        levels[group.members] = mine = levels_needed(plan, group, delta)
        count[group.members] = candidates_of(plan, group, mine)
    if count.sum() > most:
        for group in plan.groups:
            i = group.members
            some = i[:: max(1, i.size // SPOKEN_FOR)]
            swing = 4 / plan.p * np.abs(np.fft.rfft(circuit.U[some], axis=1)[:, list(group.retained)]).sum(axis=1)
            # all are near up to the level that the least settled needs
            near = float(count[i].max(initial=0)) / plan.p**2
            cost = (1 - slope) / 2 * near * TYPICAL * float(delta[some] @ swing) * i.size / some.size
            bounded[i] = cost < CHEAP * outputs.margin
    others = np.flatnonzero(~bounded)
    bounded[others] = ~evaluated_within(levels[others], count[others], most)
    return _with_levels(plan, bounded, levels)


def _with_levels(plan: Plan, bounded: BoolArray, levels: FloatArray) -> Plan:
    """Return the plan with these neurons bounded, each group at the largest level that one of its own needs."""
    groups = tuple(
        replace(group, level=level_of(levels[group.members[bounded[group.members]]])) for group in plan.groups
    )
    return replace(plan, groups=groups, bounded=bounded)
