"""The ladder's terms beside their proved bounds, in both norms, in total and for each frequency."""

from quadlens.certificates.record.words import evaluated, known_how
from quadlens.digits import at_least, at_most, below_one, number, percent
from quadlens.report.analysis import Analysis
from quadlens.report.tables import Column, definitions, html_table

LADDER_COLUMNS = (
    Column(head="term", meaning="the step, named after what it removes from the network"),
    Column(head="relative L2", meaning="norm of the step over all inputs and logits, relative to the exact MLP logits"),
    Column(head="bound", meaning="proved: at least the relative L2"),
    Column(head="ratio", meaning="how many times that bound exceeds the measured term"),
    Column(head="largest", meaning="largest change of a single logit"),
    Column(head="bound", meaning="proved: at least the largest change of a single logit"),
    Column(head="ratio", meaning="how many times that bound exceeds the measured change"),
    Column(head="to exact", meaning="relative L2 distance of this rung to the exact MLP"),
    Column(head="R²", meaning="1 − distance²"),
    Column(head="accuracy", meaning="share of inputs that this rung alone answers right, without the skip path"),
)


def ladder_table(analysis: Analysis) -> str:
    """Return the ladder's terms and stages."""
    result = analysis.decomposition
    if result is None:
        return ""
    rows = [
        (
            term.name.replace("_", " "),
            *_beside(term.relative_l2, None if term.bound is None else term.bound.value),
            *_beside(term.max_abs, None if term.max_abs_bound is None else term.max_abs_bound.value),
            number(stage.relative_l2_to_exact) if result.whole else at_most(stage.relative_l2_to_exact),
            below_one(stage.r_squared) if result.whole else at_least(stage.r_squared, 4),
            percent(stage.accuracy),
        )
        for term, stage in zip(result.terms, result.stages, strict=True)
    ]
    bounds = "bounds proved" if result.terms[0].bound is not None else "no bound is proved here"
    caption = f"Error decomposition ({known_how(result)}; {bounds}). {evaluated(result)}"
    return html_table(LADDER_COLUMNS, rows, caption=caption) + definitions(LADDER_COLUMNS) + _parts_table(analysis)


def _beside(value: float, bound: float | None) -> tuple[str, str, str]:
    """Return a measured value, its proved bound, and the ratio of the two."""
    if bound is None:
        return number(value), "—", "—"
    return number(value), at_most(bound), number(bound / value) if value > 0 else "—"


def _parts_table(analysis: Analysis) -> str:
    """Return every term of the ladder for each main frequency by itself, folded away."""
    result = analysis.decomposition
    main = [group.frequency for group in analysis.main_groups]
    if result is None or not main:
        return ""
    columns = (Column(head="k: term", meaning="key frequency, and the step"), *LADDER_COLUMNS[1:7])
    rows = [
        (
            f"{part.frequency}: {term.name.replace('_', ' ')}",
            *_beside(part.relative_l2, part.bound),
            *_beside(part.max_abs, part.max_abs_bound),
        )
        for k in main
        for term in result.terms
        for part in term.frequencies
        if part.frequency == k
    ]
    caption = "Error decomposition of each frequency by itself (relative to the logits of all of them)"
    table = html_table(columns, rows, caption=caption)
    return f"<details><summary>The same for each frequency</summary>{table}</details>\n"
