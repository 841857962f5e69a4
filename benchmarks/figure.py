"""The figure of docs/performance.md: seconds and operations against parameters, for every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = {
    "linear": "#0072B2",
    "adaptive": "#009E73",
    "brute-force": "#CC79A7",
    "exact": "#56B4E9",
    "float32": "#000000",
    "float64": "#777777",
}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw seconds and operations against parameters, and write the figure to ``path``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    seconds, operations = figure.subplots(1, 2)
    for label, points in _series(found["results"]).items():
        name = label.removeprefix("plain ")
        style = {"color": COLOURS.get(name, "#D55E00"), "marker": "o", "markersize": 4, "label": label}
        dashed = "--" if label.startswith("plain") else "-"
        seconds.loglog([x for x, _, _ in points], [s for _, s, _ in points], linestyle=dashed, **style)
        if not label.startswith("plain"):
            operations.loglog([x for x, _, _ in points], [o for _, _, o in points], **style)
    linear = [r for r in found["results"] if r.get("method") == "linear" and "failed" not in r]
    brute = sorted((r["parameters"], r["brute_force_operations"]) for r in linear)
    operations.loglog(*zip(*brute, strict=True), color="#000000", linestyle="--", label="all inputs: 2p³n")
    for axes, what in ((seconds, "seconds"), (operations, "operations")):
        axes.set_xlabel("parameters P = 3pn + 2p²")
        axes.set_ylabel(what)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path)


def _series(results: list[dict[str, Any]]) -> dict[str, list[tuple[float, float, float]]]:
    series: dict[str, list[tuple[float, float, float]]] = {}
    for r in results:
        if "failed" in r or "p" not in r:
            continue
        labels = {"brute": f"plain {r.get('dtype')}", "method": r.get("method"), "mapped": r.get("method")}
        label = labels.get(r["task"])
        if label:
            P = 3 * r["p"] * r["neurons"] + 2 * r["p"] ** 2
            series.setdefault(label, []).append((P, r["seconds"], r["operations"]))
    return series
