"""Everything that the report says about one network, computed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from quadlens.activations import activation_named
from quadlens.certificates.ladder.decompose import decompose
from quadlens.certificates.ladder.ideal_distance import MOST_INPUTS, IdealDistance, ideal_distance
from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import Evaluation
from quadlens.decomposition.extended_ideal import ExtendedIdeal, extended_ideal
from quadlens.decomposition.group_quadrature import group_quadrature
from quadlens.decomposition.ladder import ErrorDecomposition
from quadlens.decomposition.rule_errors import RuleError, rule_errors
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup, fit
from quadlens.form.phase_locking import PhaseLocking, phase_locking
from quadlens.quadrature.certifying_width import CertifyingWidths
from quadlens.quadrature.harmonics import HarmonicError
from quadlens.quadrature.rates import RateCurve, TrainedPoint, rate_curve
from quadlens.quadrature.rectangles import RectangleBounds
from quadlens.report.amplitudes import GroupAmplitude, group_amplitudes
from quadlens.report.figures.canvas import shown_groups
from quadlens.report.figures.rates import rate_widths
from quadlens.report.logit_agreement import LogitAgreement, logit_agreement
from quadlens.report.mlp_distance import mlp_distance
from quadlens.report.proofs import LINEAR_TIME, METHODS, Proofs, prove
from quadlens.untrusted_text import one_line

DRAWS = 20
"""Draws of random phases at each width of the figure of rates."""

MLP_AT_ONCE = 4 * 10**6
"""Entries of A up to which a report holds the MLP's proved distance: at twice as many it takes minutes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """A network and what was found.

    ``evaluation``, ``decomposition``, ``amplitudes``, ``agreement`` and ``extended`` (with its proved distance) run
    all p² inputs; they are None or empty where that would take too long. ``locking`` is the test of ψ = 2φ, every
    neuron and a bootstrap for every group. ``rules`` has the error of every group's rule, by rectangles and by arcs,
    for an activation with one kink. Empty for activations other than ReLU, which the theorem is about, are ``trained``
    (where the main groups lie among the ``rates``), ``harmonics`` (the exact error of each main group against the
    refined limit, for every d) and ``widths`` (at which groups like these would certify). ``distance`` is the
    certificate of ``mlp``, None where it cannot be had.
    """

    name: str
    circuit: Circuit
    form: AmplitudePhaseForm
    locking: PhaseLocking
    rules: tuple[RuleError, ...] = ()
    trained: dict[int, TrainedPoint] = field(default_factory=dict)
    rates: RateCurve | None = None
    harmonics: dict[int, HarmonicError] = field(default_factory=dict)
    widths: CertifyingWidths | None = None
    evaluation: Evaluation | None = None
    decomposition: ErrorDecomposition | None = None
    amplitudes: tuple[GroupAmplitude, ...] = ()
    agreement: LogitAgreement | None = None
    extended: ExtendedIdeal | None = None
    extended_distance: IdealDistance | None = None
    proofs: Proofs = field(default_factory=Proofs)
    distance: Certificate | None = None

    @property
    def rectangles(self) -> dict[int, RectangleBounds]:
        """The bounds of ``rules`` by rectangles, by frequency: the theorem is about ReLU, so empty for others."""
        return {rule.frequency: rule.rectangles for rule in self.rules if rule.rectangles is not None}

    @property
    def heaviest(self) -> FrequencyGroup:
        """The group with the most weight."""
        return max(self.form.groups, key=lambda group: group.weight)

    @property
    def total_weight(self) -> float:
        """``Σ r u`` over all neurons; 1 for a network of silent ones."""
        return float(self.form.weights.sum()) or 1.0

    @property
    def main_arcs(self) -> list[float]:
        """The bounds by exact arcs of the rules that a sentence counts and that rectangles bound too."""
        main = [group.frequency for group in self.main_groups]
        return [rule.arcs.relative for rule in self.rules if rule.frequency in main and rule.rectangles is not None]

    @property
    def main_groups(self) -> tuple[FrequencyGroup, ...]:
        """Groups that a sentence counts (``AmplitudePhaseForm.main_groups``), by frequency."""
        return self.form.main_groups

    @property
    def unlocked(self) -> tuple[FrequencyGroup, ...]:
        """Groups that fail the test of ψ = 2φ, the heaviest first."""
        failed = {tested.frequency for tested in self.locking.groups if not tested.locked}
        groups = [group for group in self.form.groups if group.frequency in failed]
        return tuple(sorted(groups, key=lambda group: -group.weight))

    @property
    def skip_std(self) -> float:
        """Standard deviation, in logits, of what the skip path adds, centred over c. Cost O(p²)."""
        a, b = (table - table.mean(axis=1, keepdims=True) for table in (self.circuit.S_a, self.circuit.S_b))
        return float(np.sqrt(np.mean(a * a) + np.mean(b * b) + 2 * np.mean(a.mean(axis=0) * b.mean(axis=0))))


def analyse(
    name: str,
    circuit: Circuit,
    evaluation: Evaluation | None = None,
    *,
    methods: Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Analyse a network for its report.

    Parameters
    ----------
    name : what to call it
    evaluation : its measured accuracy; where it is None, whatever runs all p² inputs is left out
    methods : certificate methods to run; by default all of them, or, without an evaluation, those of linear time
    progress : called with the fraction done
    """
    done = progress or (lambda fraction: None)
    name = one_line(name)
    if methods is None:
        methods = LINEAR_TIME if evaluation is None else METHODS
    form = fit(circuit)
    # the bootstrap is seeded: the same network gives the same interval, here and in `quadlens fit`
    locking = phase_locking(form, np.random.default_rng(0))
    rules = rule_errors(form)
    distance = mlp_distance(circuit) if circuit.A.size <= MLP_AT_ONCE else None
    done(0.05)
    alive = any(group.weight > 0 for group in form.groups)
    found = group_quadrature(form, shown_groups(form))
    trained, harmonics, widths = ({}, {}, None) if found is None else (found.trained, found.harmonics, found.widths)
    curve = rate_curve(rate_widths(trained), np.random.default_rng(0), draws=DRAWS) if trained else None
    done(0.1)
    quick = Analysis(
        name=name,
        circuit=circuit,
        form=form,
        locking=locking,
        rules=rules,
        distance=distance,
        trained=trained,
        rates=curve,
        harmonics=harmonics,
        widths=widths,
    )
    if evaluation is None:
        return replace(quick, proofs=prove(circuit, methods, progress=lambda fraction: done(0.1 + 0.9 * fraction)))
    decomposition = decompose(circuit, form, progress=lambda fraction: done(0.1 + 0.1 * fraction))
    shown = tuple(group.frequency for group in shown_groups(form))
    amplitudes = tuple(group_amplitudes(circuit, form, shown))
    agreement = logit_agreement(circuit, form)
    one_kink = activation_named(circuit.activation).slope_below is not None
    extended = extended_ideal(circuit, form) if alive and one_kink else None
    extended_distance = None
    if extended is not None and circuit.p**2 <= MOST_INPUTS:
        extended_distance = ideal_distance(circuit, form, extended)
    done(0.25)
    proofs = prove(circuit, methods, progress=lambda fraction: done(0.25 + 0.75 * fraction))
    return replace(
        quick,
        evaluation=evaluation,
        decomposition=decomposition,
        amplitudes=amplitudes,
        agreement=agreement,
        extended=extended,
        extended_distance=extended_distance,
        proofs=proofs,
    )
