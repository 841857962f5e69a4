"""The compression curve: how many numbers an ideal uses against how much of the MLP it leaves unexplained."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.decomposition.extended_ideal import ExtendedIdeal
from quadlens.decomposition.ladder import ErrorDecomposition
from quadlens.report.colours import INK, MUTED, PAPER, SERIES
from quadlens.report.figures.canvas import NORMAL, SMALL, legend, log_axis, new_axes

SMALLEST = 1e-4
"""Distances below this are drawn at the lower edge."""

NUMBERS_OF_PURE_LIMIT = 2
"""What the pure pizza limit stores per frequency: k and W."""


def compression(ideal: ExtendedIdeal, result: ErrorDecomposition, ax: Axes | None = None) -> Figure:
    """Draw the relative distance to the exact MLP logits against the real numbers used, both logarithmic."""
    figure, ax = new_axes(ax, height=3.4)
    curve = ideal.curve
    ax.plot(
        curve.parameters,
        np.maximum(curve.relative_l2, SMALLEST),
        color=SERIES[0],
        linewidth=1.8,
        label="extended ideal, the best with so many numbers",
    )
    pure, frequencies = result.stages[-1], len(result.terms[-1].frequencies)
    points = (
        ("pure pizza limit", NUMBERS_OF_PURE_LIMIT * frequencies, pure.relative_l2_to_exact, "s", SERIES[3]),
        ("refined limit", result.ideal_parameters, result.ideal_relative_l2, "o", SERIES[1]),
        ("extended ideal told of", ideal.parameters, ideal.relative_l2, "D", SERIES[2]),
    )
    for name, used, distance, shape, colour in points:
        ax.plot(
            [used],
            [max(distance, SMALLEST)],
            linestyle="none",
            marker=shape,
            markersize=8,
            color=colour,
            markeredgecolor=PAPER,
            markeredgewidth=0.6,
            label=f"{name}: {used:,} numbers, {distance:.2g}",
            zorder=4,
        )
    ax.axvline(result.mlp_parameters, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.text(
        result.mlp_parameters * 0.93,
        0.97,
        "the MLP's tables",
        transform=ax.get_xaxis_transform(),
        rotation=90,
        ha="right",
        va="top",
        fontsize=SMALL,
        color=INK,
    )
    if curve.invariant_floor is not None and curve.invariant_floor > SMALLEST:
        ax.axhline(curve.invariant_floor, color=MUTED, linewidth=0.9, linestyle=":")
    distances = [*curve.relative_l2, *(point[2] for point in points)]
    log_axis(ax, "x", min(float(curve.parameters[0]), NUMBERS_OF_PURE_LIMIT) / 1.3, result.mlp_parameters * 1.5)
    log_axis(ax, "y", max(min(*distances, 1.0), SMALLEST) / 1.5, max(*distances, 1.0) * 1.3)
    ax.set_xlabel("real numbers used", fontsize=NORMAL)
    ax.set_ylabel("relative L2 to the exact MLP", fontsize=NORMAL)
    legend(ax, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderpad=0, columnspacing=1.4)
    return figure
