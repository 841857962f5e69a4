"""Paper for figures: axes in the house style, without pyplot and without global settings."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.report.colours import GRID, INK, MUTED

WIDTH = 7.4
"""Width of a full figure, inches; text of 9 points is legible at the width of a page's column."""

SMALL, NORMAL = 8.5, 9.5
"""Sizes of tick labels and notes, and of everything else, points."""

MOST_GROUPS = 6
"""Most frequency groups that a figure shows, the heaviest ones; a caption says how many are left out."""

LEAST_SHARE = 0.01
"""A group with less than this share of the weight is counted, listed and bounded, but has no panel of its own."""


def new_axes(ax: Axes | None, *, height: float = 3.4, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return the figure and the axes to draw on: the given ones, or new ones."""
    if ax is None:
        figure, grid = new_grid(1, 1, height=height, width=width)
        return figure, grid[0]
    if not isinstance(ax, Axes):
        raise OptionError(f"ax must be matplotlib axes, got {type(ax).__name__}; without it a new figure is made")
    style(ax)
    root: Any = ax.figure
    while not isinstance(root, Figure):  # a subfigure lies in another, or in the figure itself
        root = root.figure
    return root, ax


def new_grid(
    rows: int,
    columns: int,
    *,
    height: float,
    width: float = WIDTH,
    share_x: bool = False,
    share_y: bool = False,
    width_ratios: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """Return a new figure with a grid of axes, row by row."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(
        rows, columns, sharex=share_x, sharey=share_y, squeeze=False, width_ratios=list(width_ratios or [1] * columns)
    )
    flat = [ax for row in axes for ax in row]
    for ax in flat:
        style(ax)
    return figure, flat


def style(ax: Axes) -> None:
    """Give axes the house style: two thin spines, light grid behind, one size of text."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    ax.tick_params(labelsize=SMALL, colors=MUTED, labelcolor=INK, width=0.8, length=3)
    ax.grid(True, color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(NORMAL)
        axis.label.set_color(INK)
    ax.title.set_fontsize(NORMAL)
    ax.title.set_color(INK)


def title(ax: Axes, text: str, colour: str = INK) -> None:
    """Put a title at the left, where reading starts."""
    ax.set_title(text, loc="left", fontsize=NORMAL, color=colour, fontweight="bold")


def legend(ax: Axes, **options: Any) -> None:
    """Add a legend without a frame."""
    made = ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, **options)
    made.set_zorder(10)


def log_axis(ax: Axes, which: str, low: float, high: float) -> None:
    """Make an axis logarithmic from ``low`` to ``high`` (positive), ticked in plain letters: 0.01, 2·10⁸."""
    getattr(ax, f"set_{which}scale")("log")
    getattr(ax, f"set_{which}lim")(low, high)
    axis = getattr(ax, f"{which}axis")
    # less than two powers of ten would leave one tick or none: 2 and 5 times them help
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low >= 100 else (1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 3:
        return f"{value:g}"
    factor = round(value / 10.0**exponent)
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if factor == 1 else f"{factor}·{power}"


def angle_axis(ax: Axes, which: str, label: str) -> None:
    """Make an axis run over one turn, −π to π, ticked at halves of π."""
    ticks = [-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi]
    names = ["−π", "−π/2", "0", "π/2", "π"]
    getattr(ax, f"set_{which}ticks")(ticks, names)
    getattr(ax, f"set_{which}lim")(-np.pi, np.pi)
    getattr(ax, f"set_{which}label")(label, fontsize=NORMAL, color=INK)


def shown_groups(form: AmplitudePhaseForm, most: int = MOST_GROUPS) -> tuple[FrequencyGroup, ...]:
    """Return the heaviest groups, at most ``most``, none below ``LEAST_SHARE`` but the first, by frequency."""
    least = LEAST_SHARE * float(form.weights.sum())
    first, *others = sorted(form.groups, key=lambda group: -group.weight)
    heaviest = [first, *(group for group in others if group.weight >= least)][:most]
    return tuple(sorted(heaviest, key=lambda group: group.frequency))
