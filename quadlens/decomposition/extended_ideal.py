r"""A better ideal: waveforms whose waves have phases of their own, to first order in what is particular to a neuron.

The refined limit keeps one exponential sum of every frequency group, one waveform with two waves and a constant. Here
the waveform has as many waves (q, l) as pay (`phase_modulation`), the outputs as many terms as pay (`ideal_terms`). All
numbers are read off the weights, none is fitted to the outputs; *which* are kept is chosen by what they explain of the
network's outputs, the most helpful first: the compression curve. For every activation with one kink at 0.

Cost O(P): the tables' Fourier coefficients (pn log p), their correlations with the phases' multiples and with the
output waves (pn with 25 multiples and at most MOST_OUTPUTS outputs as the constant), and the network's own outputs at
no more than 2^14 inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.number_range import require_range
from quadlens.decomposition.beyond_lens import beyond_the_lens
from quadlens.decomposition.compression import CompressionCurve, greedy_order, invariant_floor, lower_envelope
from quadlens.decomposition.ideal_terms import (
    FIRST_A,
    INTEGRAL,
    LINEAR_A,
    LINEAR_B,
    candidates,
    harmonics,
    output_waves,
    roots_of_unity,
    term_function,
)
from quadlens.decomposition.measured_outputs import MeasuredOutputs, measured_outputs
from quadlens.decomposition.phase_modulation import (
    PhaseCorrelations,
    PhaseModulation,
    phase_correlations,
    phase_modulation,
)
from quadlens.decomposition.weight_sums import WeightSums, weight_sums
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, form_of

SHARE = 0.01
"""Of the network's parameters: what the ideal may use of numbers, by default."""

FEWEST, MOST = 100, 4000
"""Numbers that a small network's ideal may use all the same, and that a large one's may not exceed."""

MOST_OUTPUTS = 20
"""Output frequencies of the ideal: those with the most of the network's outputs."""

MOST_CANDIDATES = 4000
STOPS = (1e-2, 1e-3, 3e-4, 1e-4, 3e-5)
"""What a further wave of the heaviest waveform has to explain, tried in turn; lighter ones have to explain more."""

SMALLEST_GAIN = 1e-10  # of the squares of the outputs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExtendedIdeal:
    """The best ideal on the curve with at most the allowed numbers.

    ``terms``: rows (kind, waveform, m, q, z) of `ideal_terms`, with ``values``. ``relative_l2``: its distance to the
    exact MLP logits, over all inputs, or, where ``sampled``, over that many that had no part in choosing the terms.
    """

    p: int
    waveforms: tuple[PhaseModulation, ...]
    terms: IntArray
    values: ComplexArray
    relative_l2: float
    sampled: int | None
    curve: CompressionCurve

    @property
    def parameters(self) -> int:
        """Real numbers that make the ideal; the integers that say what each of them is are ``indices``."""
        return sum(waveform.numbers for waveform in self.waveforms) + 2 * len(self.terms)

    @property
    def indices(self) -> int:
        """Integers that say which waves and terms the numbers belong to: they are not counted as numbers."""
        return self.terms.size + sum(1 + waveform.waves.size for waveform in self.waveforms)

    @property
    def r_squared(self) -> float:
        """``1 - relative_l2²``."""
        return 1 - self.relative_l2**2

    @property
    def frequencies(self) -> tuple[int, ...]:
        """Output frequencies at which the ideal has terms."""
        return tuple(np.unique(self.terms[:, 4]).tolist())

    def kinds(self) -> tuple[int, int, int]:
        """Return how many terms are integrals, first-order sums, and terms of the linear half."""
        kind = self.terms[:, 0]
        linear = np.isin(kind, (LINEAR_A, LINEAR_B))
        return int((kind == INTEGRAL).sum()), int((kind >= FIRST_A).sum()), int(linear.sum())

    def waves_at(self, a: IntArray, b: IntArray) -> dict[int, ComplexArray]:
        """Return ``{z: Z_z}`` at the inputs (a, b), for every output frequency of the ideal."""
        found = harmonics(self.waveforms, a, b)
        return output_waves(self.p, self.terms, self.values, found, (a, b))

    def to_dict(self) -> dict[str, Any]:
        """Return the ideal and its curve (at most 100 points of it) as JSON values."""
        curve = self.curve
        last = curve.parameters.size
        shown = [] if not last else (np.unique(np.geomspace(1, last, 100).astype(np.int64)) - 1).tolist()
        integrals, first, linear = self.kinds()
        return {
            "parameters": self.parameters,
            "indices": self.indices,
            "relative_l2": self.relative_l2,
            "r_squared": self.r_squared,
            "sampled_inputs": self.sampled,
            "integrals": integrals,
            "first_order_sums": first,
            "linear_terms": linear,
            "outputs": list(self.frequencies),
            "waveforms": [
                {"frequency": w.frequency, "parameters": w.numbers, "waves": w.waves.tolist()} for w in self.waveforms
            ],
            "beyond_lens": [wave.to_dict() for wave in beyond_the_lens(self.waveforms)],
            "invariant_floor": curve.invariant_floor,
            "circuit_parameters": curve.circuit_parameters,
            "curve": [
                {
                    "parameters": int(curve.parameters[i]),
                    "relative_l2": float(curve.relative_l2[i]),
                    "r_squared": float(curve.r_squared[i]),
                }
                for i in shown
            ],
        }


def extended_ideal(
    circuit: Circuit,
    form: AmplitudePhaseForm | None = None,
    *,
    numbers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> ExtendedIdeal:
    """Return the best extended ideal with at most ``numbers`` real numbers, and the whole curve.

    Parameters
    ----------
    circuit : network whose activation has one kink at 0
    form : its amplitude–phase form, computed where it is not given
    numbers : by default SHARE of the network's parameters, at least FEWEST and at most MOST
    progress : called with the fraction done

    Raises
    ------
    OptionError
        For another activation: its harmonics depend on each neuron's amplitude.
    CircuitError
        If the tables are so large that a logit's square could overflow.
    """
    if activation_named(circuit.activation).slope_below is None:
        raise OptionError(
            f"the extended ideal needs an activation with one kink, whose waveforms scale; got {circuit.activation}"
        )
    if numbers is None:
        numbers = min(max(int(SHARE * circuit.parameters), FEWEST), MOST)
    if numbers < 1:
        raise OptionError(f"the extended ideal needs at least one number; got {numbers}")
    require_range(circuit)
    form = form_of(circuit, form)
    done = progress or (lambda fraction: None)
    measured = measured_outputs(circuit)
    done(0.3)
    found, sums = _read(circuit, form, measured)
    done(0.6)
    tried: list[_Chosen] = []
    for step, stop in enumerate(STOPS, 1):
        waveforms = _waveforms(form, found, stop)
        if not tried or [w.numbers for w in waveforms] != [w.numbers for w in tried[-1].waveforms]:
            tried.append(_chosen(waveforms, sums, measured))
        done(0.6 + 0.3 * step / len(STOPS))
    # the smallest of all where none is small enough
    best = min(tried, key=lambda one: one.within(numbers))
    used = best.terms_within(numbers)
    counts, distances = lower_envelope([(one.counts, one.distances) for one in tried])
    floor = invariant_floor(circuit.p, measured.waves, measured.total) if measured.complete else None
    ideal = ExtendedIdeal(
        p=circuit.p,
        waveforms=best.waveforms,
        terms=best.terms[:used],
        values=best.values[:used],
        relative_l2=float(best.distances[used]),
        sampled=None,
        curve=CompressionCurve(
            parameters=counts, relative_l2=distances, circuit_parameters=circuit.parameters, invariant_floor=floor
        ),
    )
    if not measured.complete:
        fresh = measured_outputs(circuit, draw=1)
        ideal = replace(ideal, relative_l2=_distance(ideal, fresh), sampled=fresh.a.size)
    done(1.0)
    return ideal


def _distance(ideal: ExtendedIdeal, measured: MeasuredOutputs) -> float:
    left = measured.waves.copy()
    for z, wave in ideal.waves_at(measured.a, measured.b).items():
        left[z - 1] -= wave
    outside = measured.total - float(np.square(np.abs(measured.waves)).sum())
    return float(np.sqrt((np.square(np.abs(left)).sum() + max(outside, 0.0)) / (measured.total or 1.0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chosen:
    """Waveforms and all terms that help, in order; ``distances[t]`` with the first t terms."""

    waveforms: tuple[PhaseModulation, ...]
    terms: IntArray
    values: ComplexArray
    distances: FloatArray

    @property
    def counts(self) -> IntArray:
        base = sum(waveform.numbers for waveform in self.waveforms)
        return base + 2 * np.arange(self.distances.size)

    def terms_within(self, numbers: int) -> int:
        return int(np.clip(np.searchsorted(self.counts, numbers, side="right") - 1, 0, len(self.terms)))

    def within(self, numbers: int) -> tuple[bool, float]:
        used = self.terms_within(numbers)
        return bool(self.counts[used] > numbers), float(self.distances[used])


def _read(
    circuit: Circuit, form: AmplitudePhaseForm, measured: MeasuredOutputs
) -> tuple[list[PhaseCorrelations], WeightSums]:
    """Return what the weights say, whatever the waveforms: once for all of them."""
    hats = tuple(np.fft.rfft(table, axis=0) / circuit.p for table in (circuit.A, circuit.B))
    populations = [group.members[form.weights[group.members] > 0] for group in form.main_groups]
    found = [
        phase_correlations((hats[0], hats[1]), form, group.frequency, members)
        for group, members in zip(form.main_groups, populations, strict=True)
    ]
    strength = np.square(np.abs(measured.waves)).sum(axis=1)
    outputs = 1 + np.sort(np.argsort(-strength, kind="stable")[:MOST_OUTPUTS])
    return found, weight_sums(circuit, form, (hats[0], hats[1]), populations, outputs)


def _waveforms(form: AmplitudePhaseForm, found: list[PhaseCorrelations], stop: float) -> tuple[PhaseModulation, ...]:
    weights = [group.weight for group in form.main_groups]
    return tuple(
        phase_modulation(one, stop * (max(weights) / weight) ** 2) for one, weight in zip(found, weights, strict=True)
    )


def _chosen(waveforms: tuple[PhaseModulation, ...], sums: WeightSums, measured: MeasuredOutputs) -> _Chosen:
    a, b = measured.a, measured.b
    # a network without output has nothing to explain: every ideal is exact
    unit = measured.total or 1.0
    least = SMALLEST_GAIN * unit
    by_phase, roots = harmonics(waveforms, a, b), roots_of_unity(sums.p)
    offered = candidates(sums, waveforms, by_phase, most=MOST_CANDIDATES, least=least)
    order, gains = greedy_order(
        measured.waves[sums.outputs - 1],
        np.searchsorted(sums.outputs, offered.terms[:, 4]),
        offered.values,
        offered.squares,
        lambda j: term_function(roots, offered.terms[j], by_phase, a, b),
        least,
    )
    left = measured.total - np.concatenate([[0.0], np.cumsum(gains)])
    return _Chosen(
        waveforms=waveforms,
        terms=offered.terms[order],
        values=offered.values[order],
        distances=np.sqrt(np.maximum(left, 0.0) / unit),
    )
