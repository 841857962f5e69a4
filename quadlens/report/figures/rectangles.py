"""The rectangles that a frequency group's neurons put under the curve of its integrand."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from quadlens.report.colours import INK, PAPER, series
from quadlens.report.figures.canvas import NORMAL, SMALL, angle_axis, new_axes, new_grid, title
from quadlens.report.integrand import Integrand


def rectangle_panels(panels: tuple[Integrand, ...], *, colour: str = series(0)) -> Figure:
    """Draw several inputs of one group below each other; each has its own vertical scale."""
    figure, axes = new_grid(len(panels), 1, height=0.35 + 2.35 * len(panels), share_x=True)
    for ax, one in zip(axes, panels, strict=True):
        rectangles(one, ax, colour=colour)
        if ax is not axes[-1]:
            ax.set_xlabel("")
    return figure


def rectangles(one: Integrand, ax: Axes | None = None, *, colour: str = series(0)) -> Figure:
    """Draw the curve, and each neuron's rectangle: as wide as its weight, as high as the network makes it."""
    figure, ax = new_axes(ax, height=2.9)
    corners = [
        [(left, 0.0), (left, height), (right, height), (right, 0.0)]
        for shift in (0.0, -2 * np.pi)
        for left, right, height in zip(one.start + shift, one.stop + shift, one.height, strict=True)
        if right > -np.pi and left < np.pi and height != 0
    ]
    ax.add_collection(PolyCollection(corners, facecolor=colour, edgecolor=PAPER, linewidth=0.25, alpha=0.75))
    closed = one.waveform <= 0
    ax.fill_between(
        one.theta, 0, 1, where=list(closed), color=INK, alpha=0.06, linewidth=0, transform=ax.get_xaxis_transform()
    )
    ax.plot(one.theta, one.value, color=INK, linewidth=1.4)
    ax.axhline(0, color=INK, linewidth=0.6)
    ax.set_ylim(*_reach(one))
    angle_axis(ax, "x", f"θ = ωkb + φ  (rad), k = {one.frequency}")
    ax.set_ylabel("g(θ)", fontsize=NORMAL)
    title(ax, f"a − b = {(one.a - one.b) % one.p}  (a = {one.a}, b = {one.b}, c = {one.c})")
    areas = f"rectangles {one.scale * one.rectangle_area:.3f} logits, integral {one.scale * one.curve_area:.3f}"
    ax.text(
        1.0,
        1.02,
        areas.replace("-", "−"),
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=INK,
    )
    return figure


def _reach(one: Integrand) -> tuple[float, float]:
    """Return how far down and up the picture has to go, with a little room."""
    low, high = min(0.0, one.value.min(), one.height.min()), max(0.0, one.value.max(), one.height.max())
    room = 0.08 * float(high - low) or 1.0
    return float(low) - room, float(high) + room
