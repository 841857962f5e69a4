r"""The error decomposition in linear time: every term evaluated where it is retained, the rest bounded.

Rungs 1 to 6 have logits at the key frequencies only, so the terms after the first are evaluated whole. The first, and
with it the network, is evaluated at the retained output frequencies; over c the two parts are orthogonal,

    ‖term‖² = Σ_{z retained} ‖term_z‖² + ‖rest‖²,

with ``‖rest‖`` bounded (``rest``). Up to p of about 160 everything is retained and nothing is left to bound.
Cost O(pn) with constants, O(p²) for each sum that is evaluated, and the gates near their kinks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named, negative_slope
from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.ladder.evaluate import Found, Rungs, evaluate
from quadlens.certificates.ladder.group_sums import dense_is_quicker, sums_rounding
from quadlens.certificates.ladder.group_waves import GroupWaves, group_waves, no_limit, strays
from quadlens.certificates.ladder.rest import Rest, gram, left, peaks, rest, zero_order
from quadlens.certificates.ladder.retained import AT_MOST, EVERYTHING, Retained, retain, retain_all
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.circuits.number_range import require_range
from quadlens.claims import ProvedBound
from quadlens.decomposition import ladder
from quadlens.decomposition.ideals import output_weights
from quadlens.decomposition.ladder import ErrorDecomposition, Stage, Term, TermPart, refined_numbers
from quadlens.decomposition.rungs import RUNGS, ideal_responses
from quadlens.form.amplitude_phase import AmplitudePhaseForm, form_of
from quadlens.quadrature.closed_form import harmonics_rounding
from quadlens.quadrature.waveform import group_waveform
from quadlens.rounding import UNIT_ROUNDOFF

THEOREM = "quadlens.certificates.ladder, module documentation of decompose and rest"
ARITHMETIC = "float64; every sum widened by its a-priori rounding"

SAMPLE = 2 * 10**10
"""Operations that counting right answers may take where inputs are many."""


def decompose(
    circuit: Circuit,
    form: AmplitudePhaseForm | None = None,
    *,
    frequencies: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> ErrorDecomposition:
    """Return every term of the ladder over all p² inputs and p logits.

    Parameters
    ----------
    circuit : the network; only its MLP takes part, the skip path is left out
    form : its amplitude–phase form, computed where it is not given
    frequencies : at how many output frequencies beside the keys the main groups are evaluated; the rest is bounded.
        None: at all where p is small, else at a few
    progress : called with the fraction done

    For an activation without a single kink every input is evaluated, and no bound is given: O(p³ n).
    """
    if activation_named(require_circuit(circuit, "decompose").activation).slope_below is None:
        return ladder.decompose(circuit, form, progress=progress)
    require_range(circuit)
    form, report = form_of(circuit, form), progress or (lambda done: None)
    slope = negative_slope(circuit.activation)
    waves = group_waves(circuit, form)
    everything = frequencies is None and circuit.p**3 <= EVERYTHING
    # every neuron is evaluated on every input then, and nothing is left to bound
    small = everything and dense_is_quicker(circuit.p, circuit.neurons, circuit.p // 2)
    stray = [no_limit(one) if small else strays(circuit, one, slope) for one in waves]
    if everything:
        rests, retained = [], retain_all(form)
    else:
        rests = [rest(circuit, one, own, circuit.activation) for one, own in zip(waves, stray, strict=True)]
        z = np.arange(1, circuit.p // 2 + 1)
        bounds = np.stack([zero_order([one], z, circuit.p) + one.second for one in rests])
        retained = retain(bounds, form, AT_MOST if frequencies is None else frequencies)
    report(0.1)
    rungs = Rungs(
        circuit=circuit,
        form=form,
        waves=waves,
        levels=[one.levels for one in stray],
        retained=retained,
        responses=ideal_responses(form),
        sample=None if retained.whole else _sample(circuit),
    )
    found = evaluate(rungs, lambda done: report(0.1 + 0.9 * done))
    return _result(rungs, found, _unevaluated(circuit, waves, rests, retained), _errors(rungs))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rest:
    """Bounds on what is not evaluated, by group: over all inputs and logits, and on one; ``peak`` is that of all
    groups together, ``main`` and ``minor`` are the first of the main groups together and of the others.
    """

    l2: FloatArray
    logit: FloatArray
    peak: float
    main: float
    minor: float


def _unevaluated(circuit: Circuit, waves: list[GroupWaves], rests: list[Rest], retained: Retained) -> _Rest:
    if not rests:
        return _Rest(l2=np.zeros(len(waves)), logit=np.zeros(len(waves)), peak=0.0, main=0.0, minor=0.0)
    p, main, common = circuit.p, retained.main, 1 + np.flatnonzero(~retained.common)
    l2, grams = [], []
    for one, found, kept in zip(waves, rests, retained.kept, strict=True):
        z = 1 + np.flatnonzero(~kept)
        grams.append(gram(circuit, one.group.members, found, z))
        l2.append(left([found], grams[-1:], z, p))
    chosen = np.flatnonzero(main)
    tops = [peaks(circuit, *one) for one in zip(waves, rests, retained.kept, strict=True)]
    joint = (np.sum([getattr(one, name) for one in tops], axis=0).max() for name in ("of_class", "of_a", "of_b"))
    return _Rest(
        l2=np.array(l2),
        logit=np.array([one.most for one in tops]),
        peak=float(sum(joint)),
        main=left([rests[at] for at in chosen], [grams[at] for at in chosen], common, p),
        minor=float(np.array(l2)[~main].sum()),
    )


def _with_rest(norms: FloatArray, retained: Retained, rest: _Rest) -> tuple[float, float]:
    """Return both ends of the norm of what has these norms at each z where it is evaluated, and the rest elsewhere.

    The main groups' rest lies at other frequencies than all that is evaluated of them: it is orthogonal to those.
    """
    inside, outside = (float(np.linalg.norm(norms[which])) for which in (retained.common, ~retained.common))
    low = float(np.hypot(inside, max(outside - rest.main, 0.0))) - rest.minor
    return max(low, 0.0), float(np.hypot(inside, outside + rest.main)) + rest.minor


def seconds(circuit: Circuit, form: AmplitudePhaseForm) -> float:
    """Estimate how long ``decompose`` takes on two cores of a machine of 2020."""
    p, n, groups = circuit.p, circuit.neurons, len(form.groups)
    if activation_named(circuit.activation).slope_below is None:
        return 2e-10 * p**3 * n
    frequencies = p // 2 if p**3 <= EVERYTHING else AT_MOST
    return 6e-7 * p * n + 7e-7 * p**2 * groups * (1 + frequencies / 5)


def _sample(circuit: Circuit) -> IntArray:
    """Return inputs, drawn with a fixed seed, on which right answers are counted."""
    count = int(np.clip(SAMPLE // (2 * circuit.p * circuit.neurons), 128, 4096))
    return np.sort(np.random.default_rng(0).choice(circuit.p**2, min(count, circuit.p**2), replace=False))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Errors:
    """What rounding can change, by group: a wave of any finite rung on one input (``sums``), and of the integrals
    (``integrals``) in root of summed squares over all classes, and at most (``integrals_most``).
    """

    sums: FloatArray
    integrals: FloatArray
    integrals_most: FloatArray


def _errors(rungs: Rungs) -> _Errors:
    p, integrals = rungs.circuit.p, []
    for one in rungs.waves:
        pure = group_waveform(p, one.group.frequency, 1, 1, 0, 0, 0.0)
        lost = sum(harmonics_rounding(c, [2])[:, 0] for c in (one.coefficients, pure))
        lost = lost + 128 * UNIT_ROUNDOFF * (np.abs(one.coefficients).sum(axis=1) + 2)
        integrals.append(one.group.weight * lost)
    stacked = np.stack(integrals)
    return _Errors(
        sums=np.array([sums_rounding(one) for one in rungs.waves]),
        integrals=np.linalg.norm(stacked, axis=1) * np.sqrt(p),
        integrals_most=stacked.max(axis=1),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ends:
    """Lower and upper ends of norms and largest logits, by term ``(6,)`` and by term and group ``(6, groups)``."""

    l2: tuple[FloatArray, FloatArray]
    part_l2: tuple[FloatArray, FloatArray]
    logit: tuple[FloatArray, FloatArray]
    part_logit: tuple[FloatArray, FloatArray]


def _ends(rungs: Rungs, found: Found, rest: _Rest, errors: _Errors) -> _Ends:
    p, retained = rungs.circuit.p, rungs.retained
    root = np.sqrt(output_weights(p, np.arange(1, p // 2 + 1)))
    parts, first = np.sqrt(found.parts) * root, np.sqrt(found.first) * root
    over_inputs, single = _rounding(errors, p)
    # every sum that is evaluated is off by as much, at each z; terms after the first have one at the key alone
    evaluated = np.zeros(parts.shape, dtype=np.bool_)
    evaluated[0] = retained.kept
    evaluated[1:, np.arange(rungs.keys.size), rungs.keys - 1] = True
    lower, upper = (np.linalg.norm(one, axis=2) for one in (parts, parts + evaluated * (over_inputs[..., None] * root)))
    upper[0] = np.hypot(upper[0], rest.l2)
    l2 = np.linalg.norm(lower, axis=1), np.linalg.norm(upper, axis=1)
    l2[0][0] = _with_rest(first, retained, rest)[0]
    l2[1][0] = _with_rest(first + over_inputs[0].sum() * root * retained.kept.any(axis=0), retained, rest)[1]
    whole, apart, waves = np.zeros(6), np.zeros(lower.shape), evaluated.sum(axis=2)
    whole[0], apart[0] = rest.peak, rest.logit
    least = np.maximum(found.largest - whole, 0)
    least[0] = max(least[0], found.first_seen)
    return _Ends(
        l2=l2,
        part_l2=(lower, upper),
        logit=(least, found.at_most + whole + (waves * single).sum(axis=1)),
        part_logit=(
            np.maximum(found.part_largest - apart, 0),
            np.maximum(found.part_at_most, found.part_largest) + apart + waves * single,
        ),
    )


def _rounding(errors: _Errors, p: int) -> tuple[FloatArray, FloatArray]:
    """Return what rounding can change of a wave of each term and group: over all inputs, and on one, (6, groups)."""
    counts = ((2, 0), (2, 0), (2, 0), (2, 0), (1, 1), (0, 2))  # finite rungs and integrals in a term
    over_inputs = [finite * p * errors.sums + integral * errors.integrals for finite, integral in counts]
    single = [finite * errors.sums + integral * errors.integrals_most for finite, integral in counts]
    return np.stack(over_inputs), np.stack(single)


def _evaluated_frequencies(retained: Retained) -> int:
    """Return at how many output frequencies every main group is evaluated; at all only where nothing is bounded."""
    found = int(retained.common.sum())
    return found if retained.whole else min(found, retained.common.size - 1)


def _result(rungs: Rungs, found: Found, rest: _Rest, errors: _Errors) -> ErrorDecomposition:
    circuit, form, p, retained = rungs.circuit, rungs.form, rungs.circuit.p, rungs.retained
    root = np.sqrt(output_weights(p, np.arange(1, p // 2 + 1)))
    exact = np.sqrt(found.exact) * root
    norm, high = float(np.linalg.norm(exact)), _with_rest(exact, retained, rest)[1] or 1.0
    lost = p * errors.sums.sum() * root
    low = _with_rest(np.maximum(exact - lost, 0), retained, rest)[0] * (1 - 1e-9)
    ends, proved = _ends(rungs, found, rest, errors), low > 0

    def bound(value: float) -> ProvedBound | None:
        return ProvedBound(value=value * (1 + 1e-9), theorem=THEOREM, arithmetic=ARITHMETIC) if proved else None

    def parts(index: int) -> tuple[TermPart, ...]:
        return tuple(
            TermPart(
                frequency=int(key),
                relative_l2=float(ends.part_l2[0][index, number]) / high,
                max_abs=float(ends.part_logit[0][index, number]),
                bound=float(ends.part_l2[1][index, number]) / low * (1 + 1e-9) if proved else None,
                max_abs_bound=float(ends.part_logit[1][index, number]) * (1 + 1e-9) if proved else None,
            )
            for number, key in enumerate(rungs.keys)
        )

    def distance(squares: FloatArray) -> float:
        norms = np.sqrt(squares) * root
        if retained.whole:
            return float(np.linalg.norm(norms)) / (norm or 1.0)
        # no smaller than the distance, relative to no more than the network's norm
        above = norms + (2 * lost + errors.integrals.sum() * root) * retained.kept.any(axis=0)
        return _with_rest(above, retained, rest)[1] / (low or norm or 1.0) * (1 + 1e-9)

    distances = [distance(squares) for squares in found.distance]
    return ErrorDecomposition(
        p=p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        ideal_parameters=refined_numbers(form),
        ideal_relative_l2=distance(found.ideal),
        exact_norm=norm,
        exact_accuracy=float(found.right[0]) / found.inputs,
        terms=tuple(
            Term(
                name=name,
                relative_l2=float(ends.l2[0][index]) / high,
                max_abs=float(ends.logit[0][index]),
                bound=bound(float(ends.l2[1][index]) / low) if proved else None,
                max_abs_bound=bound(float(ends.logit[1][index])),
                frequencies=parts(index),
            )
            for index, name in enumerate(RUNGS)
        ),
        stages=tuple(
            Stage(
                name=name,
                relative_l2_to_exact=far,
                r_squared=1 - far**2,
                accuracy=float(right) / found.inputs,
            )
            for name, far, right in zip(RUNGS, distances, found.right[1:], strict=True)
        ),
        telescoping_error=found.telescoping / (found.exact_largest or 1.0),
        output_frequencies=_evaluated_frequencies(rungs.retained),
        inputs_counted=found.inputs,
    )
