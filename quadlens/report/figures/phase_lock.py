"""ψ against 2φ for every neuron, and how far each is from the rule."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.arrays import wrap_angle
from quadlens.form.amplitude_phase import AmplitudePhaseForm
from quadlens.report.colours import INK, MUTED, PAPER, marker, series
from quadlens.report.figures.canvas import (
    NORMAL,
    SMALL,
    angle_axis,
    legend,
    log_axis,
    new_axes,
    new_grid,
    shown_groups,
    title,
)

SMALLEST_ANGLE = 1e-17
"""Where a mismatch of exactly 0 is drawn on the logarithmic axis, radians."""


def phase_lock(form: AmplitudePhaseForm) -> Figure:
    """Draw both panels: ψ against 2φ, and the mismatch against the neuron's weight."""
    figure, (left, right) = new_grid(1, 2, height=3.8)
    psi_against_twice_phi(form, left)
    mismatch_against_weight(form, right)
    made = left.get_legend()
    if made is not None:  # below both panels it hides no neuron
        handles, labels = left.get_legend_handles_labels()
        made.remove()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=SMALL, labelcolor=INK
        )
    return figure


def psi_against_twice_phi(form: AmplitudePhaseForm, ax: Axes | None = None) -> Figure:
    """Draw every neuron at (2φ, ψ), radians in [−π, π); the rule ψ = 2φ is the diagonal."""
    figure, ax = new_axes(ax, height=3.8, width=4.2)
    ax.plot([-np.pi, np.pi], [-np.pi, np.pi], color=INK, linewidth=0.9, zorder=1)
    for name, members, colour, shape in _families(form):
        ax.scatter(
            wrap_angle(2 * form.phi[members]),
            form.psi[members],
            s=14,
            marker=shape,
            facecolor=colour,
            edgecolor=PAPER,
            linewidth=0.4,
            label=name,
            zorder=3,
        )
    angle_axis(ax, "x", "2φ, twice the input phase (rad)")
    angle_axis(ax, "y", "ψ, output phase (rad)")
    ax.set_aspect("equal")
    title(ax, "Output phase against twice the input phase")
    legend(ax, loc="upper left", handletextpad=0.1, borderpad=0.1, labelspacing=0.25)
    return figure


def mismatch_against_weight(form: AmplitudePhaseForm, ax: Axes | None = None) -> Figure:
    """Draw ``|ψ − 2φ|`` (radians) of every neuron against its share of the weight ``Σ r u``, both logarithmic."""
    figure, ax = new_axes(ax, height=3.8, width=4.2)
    total = float(form.weights.sum()) or 1.0
    share = form.weights / total
    mismatch = np.maximum(np.abs(form.mismatch), SMALLEST_ANGLE)
    floor = float(share[share > 0].min()) / 3 if (share > 0).any() else 1e-3
    for _, members, colour, shape in _families(form):
        ax.scatter(
            np.maximum(share[members], floor),
            mismatch[members],
            s=14,
            marker=shape,
            facecolor=colour,
            edgecolor=PAPER,
            linewidth=0.4,
            zorder=3,
        )
    low, high = float(mismatch.min()), float(mismatch.max())
    log_axis(ax, "x", floor * 0.7, max(float(share.max()), floor) * 2)
    log_axis(ax, "y", low * 0.5, max(2 * high, 20 * low))
    ax.axhline(np.pi, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    if high * 2 > np.pi:
        place = ax.get_yaxis_transform()
        ax.text(0.99, np.pi, "π: opposite ", transform=place, ha="right", va="bottom", fontsize=SMALL)
    ax.set_xlabel("share of all weight, r u / Σ r u", fontsize=NORMAL)
    ax.set_ylabel("|ψ − 2φ| (rad)", fontsize=NORMAL)
    title(ax, "How far each neuron is from the rule")
    return figure


def _families(form: AmplitudePhaseForm) -> list[tuple[str, np.ndarray, str, str]]:
    shown = shown_groups(form, 5)
    families = [
        (f"k = {group.frequency}", np.asarray(group.members), series(index), marker(index))
        for index, group in enumerate(shown)
    ]
    rest = [group.members for group in form.groups if group not in shown]
    if rest:
        name = "1 other group" if len(rest) == 1 else f"{len(rest)} other groups"
        families.insert(0, (name, np.concatenate(rest), series(5), marker(5)))
    return families
