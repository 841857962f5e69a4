"""The report's figures, drawn, each with a caption that says what to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from matplotlib.figure import Figure

from quadlens.certificates.inequality.ledger import TERMS
from quadlens.certificates.record import ideal_words
from quadlens.certificates.record import words as claims_in_words
from quadlens.certificates.record.certificate import Certificate
from quadlens.claims import Estimate
from quadlens.decomposition.beyond_lens import beyond_the_lens
from quadlens.decomposition.extended_ideal import ExtendedIdeal
from quadlens.decomposition.ladder import ErrorDecomposition
from quadlens.digits import at_least, number
from quadlens.quadrature.rates import RateCurve
from quadlens.report.analysis import DRAWS, Analysis
from quadlens.report.colours import series
from quadlens.report.figures.amplitude import amplitudes
from quadlens.report.figures.canvas import shown_groups
from quadlens.report.figures.certificates import MOST_TERMS, cost_against_tightness, ledger, margins_by_class
from quadlens.report.figures.compression import compression
from quadlens.report.figures.distance import distances
from quadlens.report.figures.ladder import ladder
from quadlens.report.figures.logits import predicted_against_actual
from quadlens.report.figures.phase_circle import phase_circles
from quadlens.report.figures.phase_lock import phase_lock
from quadlens.report.figures.rates import rates
from quadlens.report.figures.rectangles import rectangle_panels
from quadlens.report.integrand import blind_spot, integrand
from quadlens.report.logit_agreement import LogitAgreement
from quadlens.report.svg import svg_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One figure: ``name`` (of its file), the section it belongs to, its caption and its SVG text."""

    name: str
    section: str
    caption: str
    svg: str


def draw_all(analysis: Analysis) -> tuple[Drawn, ...]:
    """Draw every figure that this network has."""
    drawn = [_phase_lock(analysis), _phase_circles(analysis)]
    if analysis.amplitudes:
        drawn.append(_amplitudes(analysis))
    if analysis.heaviest.weight > 0:
        drawn.append(_rectangles(analysis))
    if analysis.rates is not None:
        drawn.append(_rates(analysis, analysis.rates))
    if analysis.decomposition is not None:
        drawn.append(_ladder(analysis.decomposition))
    if analysis.decomposition is not None and analysis.extended is not None:
        drawn.append(_compression(analysis, analysis.extended, analysis.decomposition))
    if analysis.agreement is not None:
        drawn.append(_logits(analysis.agreement, analysis.circuit.p))
    if analysis.distance is not None:
        drawn.append(_distances(analysis.distance))
    certificates = [certificate for certificate in analysis.proofs.certificates if certificate.classes]
    if certificates:
        drawn.append(_margins(certificates))
    drawn += [_ledger(c) for c in certificates if len(c.classes[0].ledger) > MOST_TERMS][:1]
    if len(certificates) > 1:
        drawn.append(_costs(certificates))
    return tuple(drawn)


def _distances(certificate: Certificate) -> Drawn:
    caption = (
        "How far the MLP is from its refined integrals (relative L2; blue), measured (points) and proved in linear "
        "time (bars; in numbers at the right), over all frequencies and at each. Below it, another thing: how far the "
        "frequency's fitted rule is from the pure pizza's integral (largest error over all shifts), measured, proved "
        f"by exact arcs and proved by rectangles. {certificate.verdict[0].upper()}{certificate.verdict[1:]}."
    )
    return _drawn("distance", "certificate", caption, distances(certificate))


def _phase_lock(analysis: Analysis) -> Drawn:
    form = analysis.form
    caption = (
        f"Output phase ψ against twice the input phase φ, for all {form.neurons} neurons. The rule of the pizza "
        "algorithm, ψ = 2φ, is the line on the left; on the right, how far each neuron is from it. "
        "Look for neurons that are both heavy (right) and far from the rule (top): those cost most. "
        f"Weighted rms of the mismatch: {_mismatch(analysis)}."
    )
    return _drawn("phase-lock", "form", caption, phase_lock(form))


def _mismatch(analysis: Analysis) -> str:
    return ", ".join(f"{g.phase_mismatch_rms:.2g} rad at k = {g.frequency}" for g in shown_groups(analysis.form))


def _phase_circles(analysis: Analysis) -> Drawn:
    groups = shown_groups(analysis.form)
    worst = max(groups, key=lambda g: max(g.exponential_sums))
    left_out = len(analysis.form.groups) - len(groups)
    caption = (
        "The input phases φ of each frequency's neurons around the circle: the nodes of a quadrature rule. Each stick "
        "is one neuron, as long as its weight r u. The more even the sticks, the closer their sum is to an integral. "
        "A thick line from the centre, where it can be seen, is the weighted mean of all sticks (zero when even). "
        f"Of the groups shown, the least even sum Σ w e^(imφ) / Σ w for m up to 6 is {max(worst.exponential_sums):.3g} "
        f"in modulus (k = {worst.frequency}); independent random phases give "
        f"{number(worst.chance, 2)} in root mean square, for each m."
        + (f" The {len(groups)} heaviest of {len(analysis.form.groups)} groups are shown." if left_out else "")
    )
    return _drawn("phase-circle", "form", caption, phase_circles(analysis.form))


def _amplitudes(analysis: Analysis) -> Drawn:
    caption = (
        "How strongly each frequency answers, for every difference a − b. Points: the network, mean over b; band: its "
        "range over all b. Solid: the refined limit, the integral with this network's secondary frequency and bias. "
        "Dashed: the pure pizza limit, which is zero where cos(ωk(a − b)/2) = 0. Look at the ends of each panel, that "
        "blind spot: what the solid line has above the dashed one comes from the secondary frequency, the bias and the "
        "asymmetry."
    )
    return _drawn("amplitude", "integral", caption, amplitudes(analysis.amplitudes))


def _rectangles(analysis: Analysis) -> Drawn:
    group = analysis.heaviest
    colour = series(shown_groups(analysis.form).index(group))
    spot = blind_spot(analysis.circuit.p, group.frequency)
    panels = tuple(integrand(analysis.circuit, analysis.form, group, d, 0) for d in (0, spot))
    off = ": a neuron that keeps to H is off there" if analysis.form.activation == "relu" else ""
    caption = (
        f"The {group.members.size} neurons of frequency k = {group.frequency} as rectangles under the curve of the "
        "integrand. A rectangle is as wide as its neuron's weight and as high as the network makes it: activation "
        "times output wave, at the right answer c = a + b. The summed area is what these neurons' waves add to that "
        f"logit; the area under the curve is the integral. In the shaded parts H is negative{off}. Top: a = b. "
        f"Bottom: a − b = {spot}, the pure pizza's blind spot, where it answers least: what the curve has beyond that "
        "is due to the secondary frequency, the bias and the asymmetry. The two vertical scales differ."
    )
    return _drawn("rectangles", "quadrature", caption, rectangle_panels(panels, colour=colour))


def _rates(analysis: Analysis, curve: RateCurve) -> Drawn:
    worst = max(analysis.trained.items(), key=lambda item: item[1].error)
    caption = (
        "What width buys. The relative error of a fitted rule's sum, pure waves in place of neurons, for every shift "
        "at once, against its number of neurons: evenly spaced phases, odd numbers of them (error falls like 1/n², "
        "the bound like 1/n), independent random "
        f"phases (like 1/√n; mean and central 90 % of {DRAWS} draws), and the rules fitted to this network's groups. "
        f"At 1, the dashed line, predicting nothing is as good. The least exact group shown, k = {worst[0]}, has the "
        f"error {worst[1].error:.2g} of "
        f"{worst[1].even_width:,} even or of about {worst[1].random_width:,} random neurons.{_widths(analysis)}"
    )
    return _drawn("rates", "quadrature", caption, rates(curve, analysis.trained, analysis.widths))


def _widths(analysis: Analysis) -> str:
    """Say at which widths groups like these would certify."""
    widths = analysis.widths
    if widths is None:
        return ""
    if widths.even is None or widths.random is None:
        return f" {claims_in_words.widths(widths)}"
    own = [f"k = {k} {_own_width(point.width, widths.trained.get(k))}" for k, point in analysis.trained.items()]
    return (
        f" Dotted on the right: {claims_in_words.widths(widths)} Of the rules fitted to this network's groups, "
        f"{', '.join(own)}."
    )


def _own_width(width: int, estimate: Estimate | None) -> str:
    if estimate is None:
        return "never would: its output phases are too far from 2φ"
    if estimate.high <= width:
        return f"does with its {width}"
    return f"would, it is estimated, with {ceil(estimate.low):,} to {ceil(estimate.high):,}"


def _ladder(result: ErrorDecomposition) -> Drawn:
    marks = "; upright marks: proved bounds on the step" if result.terms[0].bound is not None else ""
    caption = (
        "From the exact MLP down to the pure integral, one simplification at a time. Bars: what that step changes; "
        f"points: how far all steps so far have led from the network{marks}. "
        f"The first five steps end at the refined limit ({result.ideal_parameters:,} numbers of the frequencies that "
        "count); the sixth drops the secondary frequency and the bias. The terms sum to the whole difference, for "
        "every input and logit."
    )
    return _drawn("ladder", "decomposition", caption, ladder(result))


def _compression(analysis: Analysis, ideal: ExtendedIdeal, result: ErrorDecomposition) -> Drawn:
    floor = ideal.curve.invariant_floor
    dotted = ""
    if floor is not None:
        dotted = f" Dotted: no function of a − b and a + b − c alone is nearer than {at_least(floor, 2)} (measured)."
    caption = (
        "How far the network compresses. The curve: the best ideal with so many real numbers, its waveforms and terms "
        "read off the weights and chosen by what they explain. "
        f"{ideal_words.extended(ideal, analysis.extended_distance)}{dotted} "
        f"{ideal_words.beyond_lens(beyond_the_lens(ideal.waveforms))}"
    )
    return _drawn("compression", "decomposition", caption, compression(ideal, result))


def _logits(agreement: LogitAgreement, p: int) -> Drawn:
    caption = (
        f"All {p**3:,} logits of the MLP (p² inputs, p answers, centred over the answers) against what a limit "
        "predicts. Orange: the right answer; blue: the others; deeper colour, more logits. On the line the limit is "
        "exact. Left: the refined limit; right: the pure pizza limit."
    )
    return _drawn("logits", "decomposition", caption, predicted_against_actual(agreement))


def _margins(certificates: Sequence[Certificate]) -> Drawn:
    oracle = [c.method for c in certificates if c.method == "exact"] if len(certificates) > 1 else []
    caption = (
        "The margin proved for each class of inputs with the same a − b: the right logit is ahead of every other by at "
        "least this much, on every input of the class. Above 0 a class is certified; what falls far below 0 is drawn "
        "at the lower edge."
        + (f" The distance to the line of {oracle[0]} is what a method gives away." if oracle else "")
    )
    return _drawn("margins", "certificate", caption, margins_by_class(certificates))


def _ledger(certificate: Certificate) -> Drawn:
    terms = "; ".join(f"{name}: {meaning}" for name, meaning in TERMS)
    caption = (
        f"The ledger of the method {certificate.method} at each class's worst wrong answer: the ideal margin, that of "
        "the mean of the sums it retains, and any other term above 0 (line on top), what each error term takes from it "
        f"(coloured, from the top down), and what is left (pale): the proved margin. Terms: {terms}. A class fails "
        "where the costs reach below 0; the tallest colour there is to blame."
    )
    return _drawn("ledger", "certificate", caption, ledger(certificate))


def _costs(certificates: Sequence[Certificate]) -> Drawn:
    caption = (
        "What a proof costs and what it gives: the margin proved for all inputs, against counted operations. Further "
        "up is tighter, further left is cheaper; dashed lines: the best margin and the operations of running every "
        "input. Hollow at 0: the method does not prove every input right."
    )
    return _drawn("cost-tightness", "certificate", caption, cost_against_tightness(certificates))


def _drawn(name: str, section: str, caption: str, figure: Figure) -> Drawn:
    return Drawn(name=name, section=section, caption=caption, svg=svg_text(figure, name, caption))
