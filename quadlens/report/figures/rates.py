"""What width buys: error and bound against the number of neurons, and where the trained groups lie."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.claims import Estimate
from quadlens.digits import at_least, number
from quadlens.quadrature.certifying_width import CertifyingWidths
from quadlens.quadrature.rates import RateCurve, TrainedPoint
from quadlens.report.colours import INK, MUTED, PAPER, SERIES, marker, series
from quadlens.report.figures.canvas import NORMAL, SMALL, log_axis, new_axes, new_grid, title

SMALLEST = 1e-6
"""Errors below this are drawn at the lower edge."""


def rates(
    curve: RateCurve, trained: Mapping[int, TrainedPoint], widths: CertifyingWidths | None = None
) -> Figure:
    """Draw both panels: the largest error (measured), and the rectangle bound (proved) with the certifying widths."""
    figure, (left, right) = new_grid(1, 2, height=3.9)
    rate_panel(curve, trained, left)
    rate_panel(curve, trained, right, bound=True)
    if widths is not None and widths.even is not None and widths.random is not None:
        _certifying(curve, widths.tolerance, widths.even, widths.random, right)
    right.set_ylabel("")
    low, high = (pick(ax.get_ylim()[i] for ax in (left, right)) for i, pick in ((0, min), (1, max)))
    for ax in (left, right):
        ax.set_ylim(low, high)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=SMALL, labelcolor=INK)
    return figure


def rate_panel(
    curve: RateCurve, trained: Mapping[int, TrainedPoint], ax: Axes | None = None, *, bound: bool = False
) -> Figure:
    """Draw the relative error (or its bound) against width n: even phases, random phases, trained groups."""
    figure, ax = new_axes(ax, height=3.6, width=4.2)
    even = curve.even_bound if bound else curve.even_error
    drawn = curve.random_bound if bound else curve.random_error
    ax.fill_between(
        curve.widths,
        [estimate.low for estimate in drawn],
        [estimate.high for estimate in drawn],
        color=SERIES[5],
        alpha=0.3,
        linewidth=0,
        label="random phases, 90 % of draws",
    )
    ax.plot(curve.widths, [estimate.value for estimate in drawn], color=SERIES[5], linewidth=1.3, label="their mean")
    ax.plot(curve.widths, even, color=INK, linewidth=1.3, label="evenly spaced phases")
    values = [*even, *(estimate.low for estimate in drawn), *(estimate.high for estimate in drawn)]
    for index, (frequency, point) in enumerate(trained.items()):
        value = max(point.bound if bound else point.error, SMALLEST)
        values.append(value)
        ax.plot(
            [point.width],
            [value],
            linestyle="none",
            marker=marker(index),
            markersize=8,
            color=series(index),
            markeredgecolor=PAPER,
            markeredgewidth=0.6,
            label=f"k = {frequency}",
            zorder=4,
        )
    ax.axhline(1.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    widths = [*curve.widths.tolist(), *(point.width for point in trained.values())]
    log_axis(ax, "x", min(widths) / 1.3, max(widths) * 1.3)
    log_axis(ax, "y", max(min(values), SMALLEST) / 2, max(values) * 2)
    ax.set_xlabel("neurons in the group, n", fontsize=NORMAL)
    ax.set_ylabel("relative error", fontsize=NORMAL)
    title(ax, "Proved: the rectangle bound" if bound else "Measured: the largest error")
    return figure


def _certifying(curve: RateCurve, level: float, even: int, random: Estimate, ax: Axes) -> None:
    """Mark the tolerated error, and the widths at which even and random phases are proved to stay below it."""
    ax.axhline(level, color=INK, linewidth=1.0, linestyle=":", label=f"certifies below {at_least(level, 2)}")
    for width, colour, name in ((even, INK, f"even: {even:,}"), (random.value, SERIES[5], _about(random.value))):
        ax.plot([width], [level], linestyle="none", marker="|", markersize=13, markeredgewidth=2, color=colour)
        side = "center" if colour == INK else "right"
        ax.annotate(
            name, (width, level), (0, -9), textcoords="offset points", ha=side, va="top", fontsize=SMALL, color=INK
        )
    # from the last width drawn on, the upper edge of the draws falls like n^(-1/2)
    if random.value > curve.widths[-1]:
        ends = [float(curve.widths[-1]), random.value], [curve.random_bound[-1].high, level]
        ax.plot(*ends, color=SERIES[5], linewidth=1.1, linestyle=(0, (2, 2)))
    low, high = ax.get_xlim()
    log_axis(ax, "x", min(low, even / 1.3), max(high, random.value * 2.5))


def _about(width: float) -> str:
    return f"random: ≈ {number(width, 2)}" if width < 100 else f"random: ≈ {float(f'{width:.2g}'):,.0f}"


def rate_widths(trained: Mapping[int, TrainedPoint]) -> list[int]:
    """Return the widths to draw the curves at, up to beyond every trained group: odd numbers next to powers of two.

    Odd numbers of even phases fold, modulo π, into twice as many; an even number does no better than half of it.
    """
    largest = max([512, *(point.width for point in trained.values())])
    return [int(n) for n in 2 ** np.arange(3, int(np.ceil(np.log2(largest))) + 1) + 1]
