"""Tables of the page: every cell escaped, numbers aligned, ready to be sorted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

import numpy as np

from quadlens.digits import at_least, at_most, number, percent_at_least
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.form.phase_locking import LOCKED_R_SQUARED, r_squared_shown
from quadlens.quadrature.designer import design, group_flatness
from quadlens.quadrature.harmonics import TARGET_HARMONIC
from quadlens.report.analysis import Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's heading and, for readers who ask, what it means (with its unit)."""

    head: str
    meaning: str


def html_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, caption: str) -> str:
    """Return an HTML table; the first cell of a row is its heading. All text is escaped here."""
    heads = "".join(
        f'<th scope="col" title="{escape(column.meaning, quote=True)}">{escape(column.head)}</th>' for column in columns
    )
    body = []
    for first, *rest in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        body.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption, quote=True)}">'
        f'<table class="sortable"><caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(body)}\n</tbody></table></div>\n"
    )


def definitions(columns: Sequence[Column]) -> str:
    """Return the columns' meanings as a list, for paper, touch and screen readers."""
    items = "".join(f"<dt>{escape(c.head)}</dt><dd>{escape(c.meaning)}</dd>" for c in columns)
    return f"<details><summary>What the columns mean</summary><dl>{items}</dl></details>\n"


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 or share == 0 else "<0.1%"


FORM_COLUMNS = (
    Column(head="k", meaning="key frequency"),
    Column(head="neurons", meaning="neurons whose strongest input wave is at k"),
    Column(head="W", meaning="weight of the group, Σ r u: input amplitude times output amplitude, in logits"),
    Column(head="share", meaning="the group's share of the weight of all neurons"),
    Column(head="ψ−2φ rms", meaning="weighted root mean square of the phase mismatch, radians; 0 is the pizza rule"),
    Column(head="|e_A|", meaning="mean relative amplitude of the wave of a; 1 when a and b are treated alike"),
    Column(head="|e_B|", meaning="the same for b"),
    Column(head="s_A", meaning="secondary frequency 2k of a, relative to r, measured against phase 2φ (real part)"),
    Column(head="s_B", meaning="the same for b"),
    Column(head="κ", meaning="bias relative to r"),
    Column(head="unevenness", meaning="largest |Σ w e^(imφ)| / Σ w for m = 1 to 6; 0 for even phases"),
    Column(head="chance", meaning="√(Σ w²) / Σ w: each such sum for independent random phases, root mean square"),
)


def form_table(analysis: Analysis) -> str:
    """Return the amplitude–phase form, one row for each frequency."""
    total = analysis.total_weight
    rows = [
        (
            str(group.frequency),
            str(group.members.size),
            number(group.weight, 4),
            _share(group.weight / total),
            number(group.phase_mismatch_rms, 2),
            f"{abs(group.e_A):.3f}",
            f"{abs(group.e_B):.3f}",
            f"{group.s_A.real:.3f}".replace("-", "−"),
            f"{group.s_B.real:.3f}".replace("-", "−"),
            f"{group.kappa:.3f}".replace("-", "−"),
            number(max(group.exponential_sums), 2),
            number(group.chance, 2),
        )
        for group in analysis.form.groups
    ]
    caption = "Amplitude–phase form, per frequency (means weighted by r u; measured)"
    return html_table(FORM_COLUMNS, rows, caption=caption) + definitions(FORM_COLUMNS)


LOCKING_COLUMNS = (
    Column(head="k", meaning="key frequency"),
    Column(head="R²", meaning="share of the output phases' spread that ψ = 2φ explains, nothing fitted; 1 is exact"),
    Column(head="from", meaning="lower end of its 95 % bootstrap interval over the group's neurons"),
    Column(head="to", meaning="upper end of that interval"),
    Column(head="locked", meaning=f"yes where the interval lies above {LOCKED_R_SQUARED}"),
    Column(head="breakers", meaning="neurons off by more than the tolerance in the table's heading"),
    Column(head="worst neurons", meaning="numbers of the neurons furthest off, the worst first; report.json lists all"),
)
WORST_NAMED = 6


def locking_table(analysis: Analysis) -> str:
    """Return the test of ψ = 2φ, one row for each frequency, and its verdict in words."""
    locking = analysis.locking
    if not locking.groups:
        return ""
    rows = [
        (
            str(group.frequency),
            *r_squared_shown(group.r_squared),
            "yes" if group.locked else "no",
            f"{group.breakers.size} of {group.members.size}",
            " ".join(str(i) for i in group.breakers[:WORST_NAMED]) or "—",
        )
        for group in locking.groups
    ]
    off = f"{locking.tolerance:g} rad"
    caption = f"ψ = 2φ tested on every neuron (intervals estimated; breakers are off by more than {off})"
    said = [locking.verdict, *(group.verdict for group in locking.groups if not group.locked)]
    words = "".join(f"<li>{escape(text[0].upper() + text[1:])}.</li>" for text in said[: 1 + WORST_NAMED])
    return html_table(LOCKING_COLUMNS, rows, caption=caption) + f"<ul>{words}</ul>\n" + definitions(LOCKING_COLUMNS)


RECTANGLE_COLUMNS = (
    Column(head="k", meaning="key frequency"),
    Column(head="direct", meaning="proved bound from the rectangles under the whole integrand"),
    Column(head="folded", meaning="proved bound from the rectangles of the |x|/2 half, phases folded modulo π"),
    Column(head="identity", meaning="proved bound on the x/2 half: two exponential sums"),
    Column(head="mismatch", meaning="proved bound on what ψ ≠ 2φ adds"),
    Column(head="total", meaning="proved: min(direct, folded + identity) + mismatch; below 1 is non-vacuous"),
    Column(head="arcs", meaning="proved by exact arcs between the kinks, every output phase as it is"),
    Column(head="actual", meaning="measured: the fitted rule's largest error over all shifts"),
    Column(head="total / actual", meaning="how many times the proved bound by rectangles exceeds the measured error"),
    Column(head="arcs / actual", meaning="how many times the proved bound by arcs does"),
    Column(head="cost", meaning="operations counted: rectangles, then arcs"),
)


def rectangle_table(analysis: Analysis) -> str:
    """Return both kinds of bounds beside the measured error, with what they cost, one row for each frequency."""
    rows = [
        (
            str(rule.frequency),
            at_most(bound.direct),
            at_most(bound.folded),
            at_most(bound.identity, 2),
            at_most(bound.phase_mismatch, 2),
            at_most(bound.total),
            at_most(rule.arcs.relative),
            number(bound.actual),
            number(bound.total / bound.actual, 2) if bound.actual > 0 else "—",
            number(rule.arcs.relative / bound.actual, 4) if bound.actual > 0 else "—",
            f"{rule.rectangle_operations:,}; {rule.arcs.operations:,}",
        )
        for rule in analysis.rules
        if (bound := rule.rectangles) is not None
    ]
    caption = (
        "Error of each frequency's fitted rule, not of the MLP, against the pure pizza's integral, relative to the "
        "target's amplitude (predicting nothing: 1)"
    )
    return html_table(RECTANGLE_COLUMNS, rows, caption=caption) + definitions(RECTANGLE_COLUMNS)


HARMONIC_COLUMNS = (
    Column(head="k", meaning="key frequency"),
    Column(
        head="bound",
        meaning="proved of the fitted rule, neurons of one shape: its largest error over all b, relative to the "
        "integral, at the worst a − b",
    ),
    Column(head="tail", meaning="the part of the bound that stands for all harmonics beyond the computed ones"),
    Column(head="m to blame", meaning="m of the largest term, at the worst a − b"),
    Column(head="its sum", meaning="the sum over the neurons that should vanish there"),
    Column(head="even", meaning="evenly spaced neurons with the same measured error (pure pizza)"),
    Column(head="random", meaning="randomly placed neurons with the same error in root mean square"),
    Column(
        head="certifies at",
        meaning="estimated: neurons at which its proved rectangle bound, falling like 1/n or 1/√n from where it is, "
        "lets no wrong answer of the pure pizza win; not above its own number of neurons: it does already; —: never, "
        "as its output phases are too far from 2φ, which no width mends",
    ),
)


def harmonic_table(analysis: Analysis) -> str:
    """Return each main group's error in harmonic form, and the widths that would do as well."""
    rows = []
    for frequency, found in analysis.harmonics.items():
        relative = found.bound / np.maximum(found.target, np.finfo(float).tiny)
        worst = int(np.argmax(relative))
        m, point = int(found.blame[worst]), analysis.trained[frequency]
        rows.append(
            (
                str(frequency),
                at_most(float(relative[worst])) if relative[worst] < 1e6 else "—",
                at_most(float(found.tail[worst] / max(found.target[worst], np.finfo(float).tiny)), 2),
                str(m).replace("-", "−"),
                _sum_of(m),
                f"{point.even_width:,}",
                f"{point.random_width:,}",
                _certifying(analysis, frequency),
            )
        )
    caption = (
        "Harmonic form of the fitted rule's error, relative to the integral (bounds proved; widths of random phases "
        "estimated)"
    )
    return html_table(HARMONIC_COLUMNS, rows, caption=caption) + definitions(HARMONIC_COLUMNS)


def _certifying(analysis: Analysis, frequency: int) -> str:
    if analysis.widths is None or frequency not in analysis.widths.trained:
        return "—"
    estimate = analysis.widths.trained[frequency]
    return f"{ceil(estimate.low):,}–{ceil(estimate.high):,}"


def _sum_of(m: int) -> str:
    """Return the exponential sum that harmonic m meets, in letters: Σ w e^(i(ψ − 3φ))."""
    multiple = "" if m == 0 else f" {'+' if m > 0 else '−'} {abs(m) if abs(m) > 1 else ''}φ"
    return f"Σ w (e^(i(ψ{multiple})) − 1)" if m == TARGET_HARMONIC else f"Σ w e^(i(ψ{multiple}))"


DESIGN_COLUMNS = (
    Column(head="k", meaning="key frequency"),
    Column(head="σ = −s", meaning="secondary frequency, mean of a and b, relative to r (real part, sign reversed)"),
    Column(head="κ", meaning="bias relative to r"),
    Column(head="flatness", meaning="smallest over largest |ĥ_2(d)|, over all d = a − b; 1 answers every input alike"),
)


def design_table(analysis: Analysis) -> str:
    """Return how evenly each group answers over a − b, beside the flattest design found; for ReLU only."""
    if analysis.form.activation != "relu" or not analysis.harmonics:
        return ""
    p = analysis.circuit.p
    best = design(p)
    rows = [
        (
            str(group.frequency),
            number(-(group.s_A + group.s_B).real / 2),
            number(group.kappa),
            number(flatness_of(analysis.form, group)),
        )
        for group in analysis.main_groups
        if group.frequency in analysis.harmonics
    ]
    rows.append(("flattest found", number(best.sigma), number(best.kappa), number(best.flatness)))
    rows.append(("pure pizza", "0", "0", number(group_flatness(p, 1, 1, 1, 0, 0, 0.0), 2)))
    caption = f"How alike a group answers all a − b, beside the flattest design found for p = {p} (measured)"
    return html_table(DESIGN_COLUMNS, rows, caption=caption) + definitions(DESIGN_COLUMNS)


def flatness_of(form: AmplitudePhaseForm, group: FrequencyGroup) -> float:
    """Return a group's flatness."""
    return group_flatness(form.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)


PROOF_COLUMNS = (
    Column(head="method", meaning="how it was proved; see quadlens certify --help"),
    Column(head="inputs", meaning="share of all p² inputs that are proved right"),
    Column(head="margin ≥", meaning="proved lower bound on the margin over all inputs, logits"),
    Column(head="operations", meaning="counted additions, multiplications and comparisons"),
    Column(head="of brute force", meaning="operations relative to running all inputs"),
)


def proof_table(analysis: Analysis) -> str:
    """Return what each method proved, and at what cost."""
    rows = [
        (
            certificate.method,
            percent_at_least(certificate.certified_accuracy),
            "—" if certificate.margin_lower_bound is None else at_least(certificate.margin_lower_bound, 5),
            f"{certificate.operations:,}",
            number(certificate.operations / certificate.brute_force_operations),
        )
        for certificate in analysis.proofs.certificates
        if certificate.classes
    ]
    caption = "Certificates of the whole network, skip path included (proved)"
    return html_table(PROOF_COLUMNS, rows, caption=caption) + definitions(PROOF_COLUMNS)
