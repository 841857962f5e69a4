"""How far the MLP and each frequency's fitted rule are from the integral: true and proved, side by side."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.certificates.record.certificate import Certificate
from quadlens.digits import at_most
from quadlens.report.colours import INK, MUTED, PAPER, SERIES
from quadlens.report.figures.canvas import NORMAL, SMALL, legend, log_axis, new_axes

MOST = 8
"""Frequencies that are drawn: those with the largest bounds."""

SMALLEST = 1e-4
"""What is smaller is drawn at the left edge."""

MLP, RULE = 0.17, -0.17
KINDS = (
    ("measured", "the MLP, measured", "o", SERIES[0], MLP),
    ("bound", "the MLP, proved", "|", SERIES[0], MLP),
    ("actual", "fitted rule, measured", "o", SERIES[1], RULE),
    ("arcs_bound", "rule, proved by arcs", "|", SERIES[1], RULE),
    ("rectangle_bound", "rule, proved by rectangles", "|", SERIES[2], RULE),
)


def distances(certificate: Certificate, ax: Axes | None = None) -> Figure:
    """Draw a certificate of ``mlp``: a row for all frequencies together and one for each, logarithmic."""
    each = sorted(certificate.frequencies or (), key=lambda record: -float(record["bound"]))[:MOST]
    total = {"bound": certificate.relative_error_bound, "measured": certificate.relative_error_measured}
    rows = [("all together", total), *((f"k = {one['frequency']}", one) for one in each)]
    figure, ax = new_axes(ax, height=1.5 + 0.42 * len(rows))
    values = [1.0]
    for key, label, shape, colour, offset in KINDS:
        found = [(record[key], len(rows) - 1 - row + offset) for row, (_, record) in enumerate(rows) if record.get(key)]
        ax.plot(
            [max(float(value), SMALLEST) for value, _ in found],
            [place for _, place in found],
            linestyle="none",
            marker=shape,
            markersize=6 if shape == "o" else 13,
            markeredgewidth=0.6 if shape == "o" else 2,
            markeredgecolor=PAPER if shape == "o" else colour,
            color=colour,
            label=label,
            zorder=3 if shape == "o" else 4,
        )
        values += [float(value) for value, _ in found]
    for row, (_, record) in enumerate(rows):
        ax.text(
            1.02,
            len(rows) - 1 - row + MLP,
            f"≤ {at_most(float(record['bound']))}",
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    ax.set_yticks(range(len(rows))[::-1], [name for name, _ in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.axvline(1.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    log_axis(ax, "x", max(min(values) / 1.6, SMALLEST), max(values) * 1.25)
    ax.set_xlabel("error relative to the integral (at 1, predicting nothing does as well)", fontsize=NORMAL)
    legend(ax, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderpad=0, columnspacing=1.4)
    return figure
