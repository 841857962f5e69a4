"""The error decomposition as a ladder: what each simplification costs, and how far it has led from the network."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.decomposition.ladder import ErrorDecomposition
from quadlens.report.colours import INK, MUTED, PAPER, SERIES
from quadlens.report.figures.canvas import NORMAL, SMALL, legend, log_axis, new_axes

SMALLEST = 1e-4
"""What is smaller is drawn at the left edge, with its value in words."""

STEPS = {
    "output_residual": "outputs by one wave each",
    "preactivation_residual": "inputs by three waves each",
    "waveform_spread": "one waveform per frequency",
    "phase_mismatch": "output phase ψ by 2φ",
    "quadrature": "sum over neurons by the integral",
    "secondary_frequency": "no secondary frequency, no bias",
}
"""What each rung replaces, in words."""


def ladder(result: ErrorDecomposition, ax: Axes | None = None) -> Figure:
    """Draw each term as a bar and each rung's distance to the exact MLP as a point, relative L2, logarithmic."""
    figure, ax = new_axes(ax, height=3.3)
    rows = np.arange(len(result.terms))[::-1]
    terms = np.array([term.relative_l2 for term in result.terms])
    distances = np.array([stage.relative_l2_to_exact for stage in result.stages])
    ax.barh(rows, np.maximum(terms, SMALLEST) - SMALLEST, left=SMALLEST, height=0.5, color=SERIES[0], label="this step")
    ax.plot(
        np.maximum(distances, SMALLEST),
        rows,
        drawstyle="default",
        marker="o",
        markersize=6,
        markeredgecolor=PAPER,
        color=SERIES[1],
        linewidth=1.2,
        label="all steps so far, from the exact MLP",
    )
    bounds = [(row, term.bound.value) for row, term in zip(rows, result.terms, strict=True) if term.bound is not None]
    if bounds:
        ax.plot(
            [value for _, value in bounds],
            [row for row, _ in bounds],
            linestyle="none",
            marker="|",
            markersize=15,
            markeredgewidth=2,
            color=SERIES[2],
            label="proved bound on this step",
        )
    largest = max([1.0, *terms, *distances, *(value for _, value in bounds)])
    log_axis(ax, "x", SMALLEST, largest * 1.25)
    ax.set_ylim(-0.6, len(terms) - 0.4)
    ax.set_yticks(rows, [f"{i}  {STEPS.get(t.name, t.name)}" for i, t in enumerate(result.terms, 1)])
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    for row, stage in zip(rows, result.stages, strict=True):
        ax.text(
            1.02,
            row,
            f"R² = {stage.r_squared:.4f}".replace("-", "−"),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    ax.axvline(1.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set_xlabel("relative L2 over all inputs and logits", fontsize=NORMAL)
    legend(ax, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderpad=0, columnspacing=1.4)
    return figure
