"""The phases of a frequency group around the circle: the nodes of its quadrature rule."""

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.report.colours import GRID, INK, MUTED, series
from quadlens.report.figures.canvas import SMALL, WIDTH, new_axes, new_grid, shown_groups, title

LONGEST = 0.62
"""Longest stick, in radii of the circle."""


def phase_circles(form: AmplitudePhaseForm) -> Figure:
    """Draw one circle for each of the heaviest groups."""
    groups = shown_groups(form)
    columns = 4 if len(groups) == 4 else min(3, len(groups))
    rows = ceil(len(groups) / columns)
    side = min(WIDTH / columns, 2.9)
    figure, axes = new_grid(rows, columns, height=(side + 0.35) * rows, width=side * columns)
    for index, ax in enumerate(axes):
        if index < len(groups):
            phase_circle(form, groups[index], ax, colour=series(index))
        else:
            ax.set_visible(False)
    return figure


def phase_circle(
    form: AmplitudePhaseForm, group: FrequencyGroup, ax: Axes | None = None, *, colour: str = series(0)
) -> Figure:
    """Draw each neuron as a stick at its phase φ (radians), as long as its weight ``r u`` (relative to the largest)."""
    figure, ax = new_axes(ax, height=3.2, width=3.2)
    ax.set_axis_off()
    ax.set_aspect("equal")
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.plot(np.cos(turn), np.sin(turn), color=MUTED, linewidth=0.8)
    phi, weight = form.phi[group.members], form.weights[group.members]
    length = LONGEST * weight / (weight.max() or 1.0)
    direction = np.stack([np.cos(phi), np.sin(phi)], axis=-1)
    sticks = np.stack([direction, direction * (1 + length[:, None])], axis=1)
    ax.add_collection(LineCollection(list(sticks), colors=colour, linewidths=1.1))
    for angle, name, across, up in (
        (0, "0", "right", "center"),
        (np.pi / 2, "π/2", "center", "top"),
        (np.pi, "−π", "left", "center"),
        (-np.pi / 2, "−π/2", "center", "bottom"),
    ):
        x, y = np.cos(angle), np.sin(angle)
        ax.plot([0.95 * x, x], [0.95 * y, y], color=MUTED, linewidth=0.8)
        ax.text(0.92 * x, 0.92 * y, name, ha=across, va=up, fontsize=SMALL, color=MUTED)
    neurons = "1 neuron" if group.members.size == 1 else f"{group.members.size} neurons"
    title(ax, f"k = {group.frequency}: {neurons}")
    resultant = direction.T @ weight / (weight.sum() or 1.0)
    ax.plot([0, resultant[0]], [0, resultant[1]], color=INK, linewidth=2, solid_capstyle="round")
    ax.plot([0], [0], marker=".", color=GRID, markersize=3)
    reach = 1 + LONGEST + 0.03
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    return figure
