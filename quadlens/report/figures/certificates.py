"""What was proved: the margin of every class a − b, what it is made of, and what it cost."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.certificates.record.certificate import Certificate
from quadlens.digits import at_least, percent_at_least
from quadlens.report.colours import INK, MUTED, PAPER, SERIES
from quadlens.report.figures.canvas import NORMAL, SMALL, legend, log_axis, new_axes

STYLES = {
    "exact": (INK, "o", "-"),
    "brute-force": (MUTED, "s", ":"),
    "adaptive": (SERIES[2], "D", "-."),
    "linear": (SERIES[0], "v", "-"),
    "smooth": (SERIES[0], "v", "-"),
    "interval": (SERIES[3], "X", ":"),
}
"""Colour, marker and line of each method."""

MOST_TERMS = 5
"""Most costs that a ledger names one by one; the rest is one more."""


def margins_by_class(certificates: Sequence[Certificate], ax: Axes | None = None) -> Figure:
    """Draw the proved margin (logits) of each class d = a − b; methods that prove the same share one line."""
    figure, ax = new_axes(ax, height=3.0)
    drawn: list[tuple[str, np.ndarray]] = []
    for certificate in certificates:
        if not certificate.classes:
            continue
        margins = np.array([bound.margin_lower_bound for bound in certificate.classes])
        same = [i for i, (_, other) in enumerate(drawn) if np.allclose(margins, other, rtol=1e-6, atol=1e-6)]
        if same:
            drawn[same[0]] = (f"{drawn[same[0]][0]}, {certificate.method}", drawn[same[0]][1])
        else:
            drawn.append((certificate.method, margins))
    highest = max((float(margins.max()) for _, margins in drawn), default=1.0)
    floor = -0.12 * max(highest, 1.0)
    for names, margins in drawn:
        colour, marker, line = STYLES.get(names.split(", ")[-1], (MUTED, ".", "-"))
        ax.plot(
            np.maximum(margins, floor),
            color=colour,
            marker=marker,
            markersize=3.6,
            markeredgecolor=PAPER,
            markeredgewidth=0.3,
            linestyle=line,
            linewidth=1.1,
            label=names,
        )
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_ylim(floor * 1.25, max(highest, 1.0) * 1.12)
    ax.set_xlim(-1, max((m.size for _, m in drawn), default=1))
    ax.set_xlabel("class d = a − b mod p", fontsize=NORMAL)
    ax.set_ylabel("margin at least (logits)", fontsize=NORMAL)
    legend(ax, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderpad=0)
    return figure


def ledger(certificate: Certificate, ax: Axes | None = None) -> Figure:
    """Draw, for each class, what the ideal margin is spent on, from the top down, and what is left of it."""
    figure, ax = new_axes(ax, height=3.2)
    names, costs = _costs(certificate)
    ideal = np.array([sum((value for _, value in bound.ledger if value > 0), 0.0) for bound in certificate.classes])
    left = np.array([bound.margin_lower_bound for bound in certificate.classes])
    d = np.arange(ideal.size)
    ax.bar(d, np.maximum(left, 0), width=0.9, color=MUTED, alpha=0.35, linewidth=0, label="left: the proved margin")
    top = ideal.copy()
    for name, cost, colour in zip(names, costs, _colours(len(names)), strict=True):
        ax.bar(d, cost, bottom=top - cost, width=0.9, color=colour, edgecolor=PAPER, linewidth=0.3, label=name)
        top -= cost
    ax.plot(d, ideal, color=INK, linewidth=1.1, marker="_", markersize=5, label="ideal margin and what adds to it")
    ax.axhline(0, color=INK, linewidth=0.8)
    low = max(float(top.min()), -float(ideal.max()))
    ax.set_ylim(min(0.0, low * 1.05), float(ideal.max()) * 1.05 or 1.0)
    ax.set_xlim(-1, d.size)
    ax.set_xlabel("class d = a − b mod p", fontsize=NORMAL)
    ax.set_ylabel("margin (logits)", fontsize=NORMAL)
    legend(ax, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, borderpad=0, columnspacing=1.2)
    return figure


def _costs(certificate: Certificate) -> tuple[list[str], list[np.ndarray]]:
    """Return the costliest terms over all classes, the largest first, and the sum of the others."""
    total: dict[str, np.ndarray] = {}
    for index, bound in enumerate(certificate.classes):
        for name, value in bound.ledger:
            if value <= 0:
                total.setdefault(name, np.zeros(len(certificate.classes)))[index] -= value
    order = sorted(total, key=lambda name: -float(total[name].sum()))
    names, rest = order[:MOST_TERMS], order[MOST_TERMS:]
    costs = [total[name] for name in names]
    if rest:
        names.append("the rest")
        costs.append(np.sum([total[name] for name in rest], axis=0))
    return names, costs


def _colours(count: int) -> list[str]:
    return [SERIES[index % len(SERIES)] for index in range(count)]


def cost_against_tightness(certificates: Sequence[Certificate], ax: Axes | None = None) -> Figure:
    """Draw each method at its counted operations and its margin; hollow at 0 where it does not prove every input."""
    figure, ax = new_axes(ax, height=3.1)
    shown = [certificate for certificate in certificates if certificate.classes]
    costs = [float(max(certificate.operations, 1)) for certificate in shown]
    for certificate, cost in zip(shown, costs, strict=True):
        colour, marker, _ = STYLES.get(certificate.method, (MUTED, ".", "-"))
        label = f"{certificate.method}: " + (
            f"margin {at_least(certificate.margin_lower_bound or 0.0, 4)}"
            if certificate.certified
            else f"{percent_at_least(certificate.certified_accuracy)} of inputs"
        )
        ax.plot(
            [cost],
            [max(certificate.margin_lower_bound or 0.0, 0.0) if certificate.certified else 0.0],
            linestyle="none",
            marker=marker,
            markersize=8,
            markerfacecolor=colour if certificate.certified else "none",
            markeredgecolor=colour,
            markeredgewidth=1.4,
            label=label,
            clip_on=False,
            zorder=3,
        )
    best = max((c.margin_lower_bound or 0.0 for c in shown if c.certified), default=0.0)
    if best > 0:
        ax.axhline(best, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    if shown:
        ax.axvline(shown[0].brute_force_operations, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        costs.append(float(shown[0].brute_force_operations))
    log_axis(ax, "x", min(costs, default=1.0) / 3, max(costs, default=1.0) * 3)
    ax.set_ylim(0, best * 1.12 or 1.0)
    ax.set_xlabel("operations (counted); dashed: brute force", fontsize=NORMAL)
    ax.set_ylabel("margin proved for all inputs", fontsize=NORMAL)
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL, labelcolor=INK
    )
    return figure
