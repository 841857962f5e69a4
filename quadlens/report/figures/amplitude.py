"""How strongly a frequency group answers for each a − b: the network, the refined limit, the pure pizza limit."""

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.arrays import wrap_angle
from quadlens.report.amplitudes import GroupAmplitude
from quadlens.report.colours import INK, MUTED, PAPER, series
from quadlens.report.figures.canvas import NORMAL, WIDTH, angle_axis, legend, new_axes, new_grid, title


def amplitudes(groups: tuple[GroupAmplitude, ...]) -> Figure:
    """Draw one panel for each group, all with the same vertical axis."""
    columns = 2 if len(groups) == 4 else min(3, len(groups))
    rows = ceil(len(groups) / columns)
    figure, axes = new_grid(rows, columns, height=0.5 + 2.35 * rows, width=WIDTH, share_y=True)
    for index, ax in enumerate(axes):
        if index < len(groups):
            amplitude(groups[index], ax, colour=series(index))
            if index % columns:
                ax.set_ylabel("")
        else:
            ax.set_visible(False)
    top = max(float(np.max([g.largest.max(), g.refined.max(), g.pure.max()])) for g in groups)
    axes[0].set_ylim(0, (top or 1.0) * 1.08)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=NORMAL - 1, labelcolor=INK
    )
    return figure


def amplitude(group: GroupAmplitude, ax: Axes | None = None, *, colour: str = series(0)) -> Figure:
    """Draw a group's amplitude, in logits, against the angle ``ωk(a − b)`` in [−π, π); d = 0 … p − 1 are its points."""
    alone = ax is None
    figure, ax = new_axes(ax, height=3.2, width=4.2)
    turns = np.asarray(group.frequency * np.arange(group.p) % group.p, dtype=np.float64) / group.p
    x = wrap_angle(2 * np.pi * turns)
    order = np.argsort(x)
    x = x[order]
    ax.fill_between(
        x, group.smallest[order], group.largest[order], color=colour, alpha=0.25, linewidth=0, label="network, all b"
    )
    ax.plot(x, group.pure[order], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label="pure pizza limit")
    ax.plot(x, group.refined[order], color=INK, linewidth=1.2, label="refined limit", zorder=4)
    ax.plot(
        x,
        group.mean[order],
        linestyle="none",
        marker="o",
        markersize=4.2,
        markeredgewidth=0.4,
        markeredgecolor=PAPER,
        color=colour,
        label="network, mean over b",
    )
    angle_axis(ax, "x", "ωk(a − b)  (rad)")
    ax.set_ylabel("amplitude (logits)", fontsize=NORMAL)
    title(ax, f"k = {group.frequency}")
    if alone:
        ax.set_ylim(bottom=0)
        legend(ax, loc="lower center")
    return figure
