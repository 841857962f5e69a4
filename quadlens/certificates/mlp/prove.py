r"""The proved distance of an MLP from its ideals: docs/certificates.md, "The MLP's error". O(P)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import FloatArray
from quadlens.certificates.compute.blas_threads import one_blas_thread
from quadlens.certificates.compute.namespace import namespace_of
from quadlens.certificates.inequality.one_pass import PassSums, one_pass
from quadlens.certificates.inequality.operations import operations
from quadlens.certificates.inequality.rounding import Sizes
from quadlens.certificates.mlp.distance import LOOKS, Distance, distance
from quadlens.certificates.mlp.outputs import splits, without_skip_path
from quadlens.certificates.mlp.rounding import logit_pieces, of_one_logit
from quadlens.certificates.mlp.waveforms import Waveforms, waveforms
from quadlens.certificates.plan.choose import Budget, choose
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.ideals import Ideal, output_weights
from quadlens.errors import CertificateError

HARMONICS = 64
CELLS = 4
"""Cells for each residue, where p is small; 2 at least."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MlpBound:
    """What is proved of one ideal. ``l2`` and ``largest``: relative to the ideal's norm and to its largest logit;
    ``classes (p,)``: √p error(d) / ‖I‖; ``frequencies``: (frequency, bound); ``terms``: what the L2 bound is made of,
    each by itself, relative to the norm.
    """

    ideal: Ideal
    l2: float
    largest: float
    classes: FloatArray
    frequencies: tuple[tuple[int, float], ...]
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proved:
    """The bounds of all ideals, the plan, and how many operations they took."""

    plan: Plan
    bounds: tuple[MlpBound, ...]
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evaluated:
    """Both passes and the waveforms of one plan."""

    plan: Plan
    l2: PassSums
    largest: PassSums
    waves: Waveforms


def budget_of(p: int) -> Budget:
    """Return what the plan may spend at this p."""
    return Budget(harmonics=HARMONICS, head=0, cells=max(2, min(CELLS * p, 2**10)))


def prove(
    circuit: Circuit,
    size: Sizes,
    ideals: tuple[Ideal, ...],
    budget: Budget,
    report: Callable[[float], None] = lambda done: None,
) -> Proved:
    """Bound the MLP's distance from every ideal, within a budget (``budget_of``).

    Raises
    ------
    CertificateError
        If an ideal has norm 0: nothing is relative to it.
    """
    for ideal in ideals:
        if not (ideal.norm > 0 and ideal.largest > 0):
            raise CertificateError(f"the {ideal.name} is 0 within rounding, so no distance is relative to it")
    with one_blas_thread():
        found = _evaluated(circuit, ideals, budget, report)
        bounds = tuple(_bound(circuit, size, found, ideal) for ideal in ideals)
    report(1.0)
    return Proved(plan=found.plan, bounds=bounds, operations=_operations(found, ideals))


def _evaluated(
    circuit: Circuit, ideals: tuple[Ideal, ...], budget: Budget, report: Callable[[float], None]
) -> _Evaluated:
    at, mlp = namespace_of(None), without_skip_path(circuit)
    choice = choose(mlp, budget)
    # one F for all, so that over c the two parts are orthogonal
    retained = tuple(sorted(set(choice.plan.retained).union(*(ideal.frequencies for ideal in ideals))))
    plan = _retaining(choice.plan, retained)
    choice = replace(choice, plan=plan)
    report(0.2)
    split = splits(at, mlp, plan)
    report(0.3)
    l2 = one_pass(at, mlp, choice, split.l2)
    report(0.6)
    largest = one_pass(at, mlp, replace(choice, plan=_retaining(plan, ())), split.largest)
    report(0.8)
    waves = waveforms(at, mlp.U, plan, split.l2, negative_slope(mlp.activation))
    return _Evaluated(plan=plan, l2=l2, largest=largest, waves=waves)


def _retaining(plan: Plan, retained: tuple[int, ...]) -> Plan:
    """Return the plan with these outputs for every group."""
    groups = tuple(replace(group, retained=retained) for group in plan.groups)
    return replace(plan, groups=groups, retained=retained)


def _bound(circuit: Circuit, size: Sizes, found: _Evaluated, ideal: Ideal) -> MlpBound:
    p, plan, waves = circuit.p, found.plan, found.waves
    beyond = waves.largest + waves.largest_tail
    kept = distance(found.l2.C, plan.retained, ideal, found.largest.R + found.largest.res + beyond[:, None])
    off = of_one_logit(
        logit_pieces(circuit, size, plan, found.l2.crossings, waves.tail_error, kept.radius), circuit
    )
    gates, residual = _by_class(found.l2.R), _by_class(found.l2.res)
    rest = waves.l2 + waves.tail + residual
    # a class has p² answers, and each is off by no more than this
    error = (np.hypot(kept.by_class + gates, rest) + p * off) * (1 + 1e-14)
    norm, top = ideal.norm, ideal.largest
    terms = {
        "computed": kept.by_class,
        "gates": gates,
        "waveforms": waves.l2,
        "tail": waves.tail,
        "residual": residual,
        "rounding": np.full(p, p * off),
    }
    return MlpBound(
        ideal=ideal,
        l2=_upward(np.linalg.norm(error) / norm),
        largest=_upward((kept.largest + off) / top),
        classes=np.array([_upward(x) for x in np.sqrt(p) * error / norm]),
        frequencies=_of_frequencies(found, ideal, kept, off),
        terms={name: _upward(np.linalg.norm(part) / norm) for name, part in terms.items()},
    )


def _of_frequencies(found: _Evaluated, ideal: Ideal, kept: Distance, off: float) -> tuple[tuple[int, float], ...]:
    """Return the bound at each of the ideal's frequencies, relative to the ideal there."""
    p, out = found.plan.p, []
    gates = float(np.linalg.norm(found.l2.R))
    for z, weight in zip(ideal.frequencies, output_weights(p, ideal.frequencies), strict=True):
        at = found.plan.retained.index(z)
        lost = (gates + p**1.5 * off) / np.sqrt(weight)
        own = kept.of_ideal[at] * (1 - 1e-12) - p * kept.radius
        # an ideal that is nothing here is no measure
        if own > 0:
            out.append((z, _upward((kept.by_frequency[at] + lost) / own)))
    return tuple(out)


def _by_class(table: Any) -> FloatArray:
    return np.asarray(np.sqrt((table * table).sum(axis=1)) * (1 + 1e-12))


def _upward(value: float | np.floating[Any]) -> float:
    """Return a bound of what a few roundings, and those of a sum of p squares, have made of it."""
    return float(np.nextafter(value * (1 + 1e-11), np.inf)) if value > 0 else float(value)


def _operations(found: _Evaluated, ideals: tuple[Ideal, ...]) -> int:
    """Return the counted operations: those of the pass, once more without retained outputs, and of this."""
    plan, p = found.plan, found.plan.p
    f, G, kept = len(plan.retained), plan.cells, plan.harmonics + 1
    steps = dict(operations(plan, found.l2).steps)
    again = dict(operations(_retaining(plan, ()), found.largest).steps)
    passes = sum(again[name] for name in ("prefix sums", "look-ups", "candidates", "exceptions"))
    first = sum(count for name, count in steps.items() if name not in ("harmonics of the rest", "inputs", "(L)"))
    harmonics = sum(
        4 * kept * np.unique(plan.cell[group.members]).size * p + p * G * (3 + 4 * kept) + 4 * kept * p
        for group in plan.groups
    )
    norms = 8 * p * plan.cell.size
    # differences, moduli, squares and sums of each retained output; answers of LOOKS inputs of each row; Gram matrices
    each = p * p * (10 * f + 8) + LOOKS * p * p * (4 * f + 2)
    return int(first + passes + harmonics + norms + 16 * p * found.waves.meetings + len(ideals) * each)
