"""Predicted against actual logits, every input and every logit."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, to_rgba
from matplotlib.figure import Figure

from quadlens.report.colours import INK, SERIES
from quadlens.report.figures.canvas import NORMAL, new_axes, new_grid, title
from quadlens.report.logit_agreement import LogitAgreement


def predicted_against_actual(agreement: LogitAgreement) -> Figure:
    """Draw one panel for each limit."""
    figure, axes = new_grid(1, len(agreement.counts), height=3.7, share_y=True)
    for ax, name in zip(axes, agreement.counts, strict=True):
        predicted_against_actual_panel(agreement, name, ax)
        if ax is not axes[0]:
            ax.set_ylabel("")
    return figure


def predicted_against_actual_panel(agreement: LogitAgreement, name: str, ax: Axes | None = None) -> Figure:
    """Draw how often each pair (predicted, actual) occurs: wrong answers in one colour, the right answer in another."""
    figure, ax = new_axes(ax, height=3.8, width=4.0)
    edges, right = agreement.edges, agreement.right[name]
    for counts, colour in ((agreement.counts[name] - right, SERIES[0]), (right, SERIES[1])):
        shown = np.ma.masked_less(counts.T, 0.5)
        top = max(2.0, float(counts.max()))
        ax.pcolormesh(edges, edges, shown, cmap=_shades(colour), norm=LogNorm(1, top), rasterized=True, zorder=2)
    ax.plot(edges[[0, -1]], edges[[0, -1]], color=INK, linewidth=0.7, zorder=1)
    ax.set_aspect("equal")
    ax.set_xlabel(f"{name} (logits)", fontsize=NORMAL)
    ax.set_ylabel("network's MLP (logits)", fontsize=NORMAL)
    title(ax, name[0].upper() + name[1:])
    span = edges[-1] - edges[0]
    for text, colour, y in (("right answer", SERIES[1], 0.93), ("other answers", SERIES[0], 0.86)):
        ax.text(edges[0] + 0.04 * span, edges[0] + y * span, text, color=colour, fontsize=NORMAL, va="center")
    return figure


def _shades(colour: str) -> ListedColormap:
    """Return a colour map from nearly transparent to solid: it works on any paper."""
    red, green, blue, _ = to_rgba(colour)
    return ListedColormap([(red, green, blue, 0.25 + 0.75 * share) for share in np.linspace(0, 1, 64)])
