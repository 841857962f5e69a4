"""The study of docs/population.md: from a sweep's folders to its two CSV files, its tables and its figures.

Run ``python -m benchmarks.population FOLDER …`` after the sweeps that docs/population.md lists; every result file under
the folders is used. ``python -m benchmarks.population`` without a folder draws and tabulates the CSV files again.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from quadlens.files import make_folder, write_atomically
from quadlens.report.colours import GRID, INK, MUTED, SERIES
from quadlens.sweep.dynamics import dynamics_rows, milestones
from quadlens.sweep.item import RESULT_VERSION
from quadlens.sweep.table import Row, Statistic, configuration_of, csv_text, read_csv, result_rows, statistics

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "population"
PAGE = DOCS / "population.md"
START, END = "<!-- tables: python -m benchmarks.population -->", "<!-- end of tables -->"

LEAST_SHARE = -4.0
"""Margins proved are drawn as fractions of the true one, none below this."""

QUANTITIES = {
    "accuracy": "accuracy over all p² inputs",
    "min_margin": "minimum margin",
    "key_frequencies": "key frequencies",
    "locked_groups": "locked groups (rms ψ − 2φ < 0.1)",
    "mismatch_rms": "rms of ψ − 2φ (rad)",
    "sigma": "secondary frequency σ",
    "kappa": "bias κ",
    "evenness": "rms exponential sum, m = 1 … 5",
    "evenness_random": "the same of random phases",
    "r_squared_output_residual": "R² of rung 1 (U by one wave)",
    "r_squared_preactivation_residual": "R² of rung 2 (A, B by two waves)",
    "r_squared_waveform_spread": "R² of rung 3 (group means)",
    "r_squared_phase_mismatch": "R² of rung 4 (ψ = 2φ)",
    "r_squared_quadrature": "R² of rung 5 (refined integral)",
    "r_squared_secondary_frequency": "R² of rung 6 (pure pizza)",
    "rectangle_worst": "worst rectangle bound (1 is vacuous)",
    "linear_certified": "inputs certified by linear",
    "linear_margin": "margin proved by linear",
    "linear_cost": "operations of linear / brute force",
    "adaptive_certified": "inputs certified by adaptive",
    "adaptive_margin": "margin proved by adaptive",
    "adaptive_cost": "operations of adaptive / brute force",
    "brute-force_certified": "inputs certified by brute-force",
}


CORRELATED = (
    "rectangle_worst",
    "mismatch_rms",
    "evenness",
    "r_squared_quadrature",
    "min_margin",
    "kappa",
    "sigma",
    "key_frequencies",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="what quadlens sweep wrote with -o")
    given = parser.parse_args()
    make_folder(FOLDER)
    if given.folders:
        files = sorted(file for folder in given.folders for file in (folder / "results").glob("*.json"))
        if not files:
            sys.exit(f"no result under {', '.join(map(str, given.folders))}; run quadlens sweep first")
        write_atomically(FOLDER / "networks.csv", csv_text(_fullest(result_rows(files))))
        write_atomically(FOLDER / "dynamics.csv", csv_text(_fullest_snapshots(dynamics_rows(files))))
    networks = read_csv((FOLDER / "networks.csv").read_text())
    dynamics = read_csv((FOLDER / "dynamics.csv").read_text())
    draw_networks(networks, FOLDER / "networks.svg")
    draw_dynamics(dynamics, FOLDER / "dynamics.svg")
    before, _, rest = PAGE.read_text().partition(START)
    _, _, after = rest.partition(END)
    write_atomically(PAGE, f"{before}{START}\n\n{tables(networks, dynamics)}\n{END}{after}")
    print(f"{len(networks)} networks, {len(dynamics)} snapshots (result version {RESULT_VERSION}): {PAGE}")


def _fullest(rows: list[Row]) -> list[Row]:
    """Keep, of several results about one network, the one that says most."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (configuration_of(row), row["seed"])
        if len(row) >= len(kept.get(key, {})):
            kept[key] = row
    return list(kept.values())


def _fullest_snapshots(rows: list[Row]) -> list[Row]:
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in ("p", "neurons", "activation", "seed", "epoch"))
        if len(row) >= len(kept.get(key, {})):
            kept[key] = row
    return list(kept.values())


def tables(networks: list[Row], dynamics: list[Row]) -> str:
    """Return the page's tables as Markdown."""
    by_configuration: dict[str, dict[str, Statistic]] = {}
    for statistic in statistics(networks):
        by_configuration.setdefault(statistic.configuration, {})[statistic.quantity] = statistic
    lines = findings(networks)
    for configuration, found in by_configuration.items():
        seeds = sorted(row["seed"] for row in networks if configuration_of(row) == configuration)
        lines += [f"### {configuration}", ""]
        lines += [f"{len(seeds)} network(s), seed(s) {', '.join(map(str, seeds))}.", ""]
        lines += ["| quantity | mean | 95 % interval | smallest | largest |", "|---|---|---|---|---|"]
        for name, words in QUANTITIES.items():
            if name in found:
                s = found[name]
                interval = "–" if s.interval is None else f"{s.interval.low:.4g} … {s.interval.high:.4g}"
                lines.append(f"| {words} | {s.mean:.4g} | {interval} | {s.smallest:.4g} | {s.largest:.4g} |")
        lines.append("")
    if dynamics:
        lines += ["### Milestones", "", "The first snapshot from which on the network has the property.", ""]
        lines += ["| network | right on every input | R² ≥ 0.99 | certified by linear |", "|---|---|---|---|"]
        for name, rows in _networks(dynamics).items():
            m = milestones(rows)
            epochs = [_epoch(m.generalises), _epoch(m.quadrature), _epoch(m.certifiable)]
            lines.append(f"| {name} | {' | '.join(epochs)} |")
        lines.append("")
    return "\n".join(lines)


def findings(networks: list[Row]) -> list[str]:
    """Return what the largest configuration shows as a whole, in lines of Markdown."""
    from scipy.stats import spearmanr

    most = max(dict.fromkeys(map(configuration_of, networks)), key=lambda name: _size(networks, name))
    rows = [row for row in networks if configuration_of(row) == most and "linear_margin" in row]
    if len(rows) < 8:
        return []
    certified = [row["linear_certified"] for row in rows]
    lines = [f"### The {len(rows)} networks of {most}", "", "| found | of the networks |", "|---|---|"]
    for words, holds in (
        ("right on every input", [row["accuracy"] == 1 for row in rows]),
        ("decided whole by adaptive at less than a quarter of brute force", [r["adaptive_cost"] < 0.25 for r in rows]),
        ("certified whole by linear", [share == 1 for share in certified]),
        ("certified in part by linear", [0 < share < 1 for share in certified]),
        ("every rectangle bound below 1", [row["rectangle_worst"] < 1 for row in rows]),
        ("phases more even than independent random ones", [r["evenness"] < r["evenness_random"] for r in rows]),
        ("every key frequency locked", [row["locked_groups"] == row["key_frequencies"] for row in rows]),
        ("R² of the refined integral above 0.99", [row["r_squared_quadrature"] > 0.99 for row in rows]),
        (
            "the integral closer to the MLP than the sum with exact phases",
            [row["r_squared_quadrature"] > row["r_squared_phase_mismatch"] for row in rows],
        ),
    ):
        lines.append(f"| {words} | {sum(holds)} |")
    lines += ["", "| rank correlation (Spearman) with the margin that linear proves | |", "|---|---|"]
    for name in CORRELATED:
        rho = spearmanr([row[name] for row in rows], [row["linear_margin"] for row in rows])[0]
        lines.append(f"| {QUANTITIES[name]} | {rho:+.2f} |")
    return [*lines, ""]


def _size(networks: list[Row], configuration: str) -> int:
    return sum(configuration_of(row) == configuration for row in networks)


def _epoch(epoch: int | None) -> str:
    return "not yet" if epoch is None else f"{epoch:,}"


def _networks(dynamics: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in dynamics:
        name = f"p = {row['p']}, n = {row['neurons']}, {row['activation']}, seed {row['seed']}"
        found.setdefault(name, []).append(row)
    return found


def draw_networks(networks: list[Row], path: Path) -> None:
    """Draw every network: evenness of phases against chance, phase lock, what each rung explains, what is proved."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8.4), layout="constrained")
    (even, lock), (rungs, proof) = figure.subplots(2, 2)
    stages = [name for name in QUANTITIES if name.startswith("r_squared_")]
    names = list(dict.fromkeys(configuration_of(row) for row in networks))
    for index, name in enumerate(names):
        rows = [row for row in networks if configuration_of(row) == name]
        style: Any = {"color": SERIES[index % len(SERIES)], "marker": "os^Dv*PX"[index % 8], "linestyle": "none"}
        size: Any = {"markersize": 5, "alpha": 0.75, "label": f"{name} ({len(rows)})"}
        even.plot([r["evenness_random"] for r in rows], [r["evenness"] for r in rows], **style, **size)
        lock.plot([r["mismatch_rms"] for r in rows], [1 - r["r_squared_quadrature"] for r in rows], **style, **size)
        # of a network that errs there is nothing to prove
        asked = [row for row in rows if "linear_margin" in row and "rectangle_worst" in row]
        proved = [row for row in asked if row["min_margin"] > 0]
        share = [max(row["linear_margin"] / row["min_margin"], LEAST_SHARE) for row in proved]
        proof.plot([row["rectangle_worst"] for row in proved], share, **style, **size)
        for row in rows:
            rungs.plot(range(1, 7), [1 - row[s] for s in stages], color=style["color"], linewidth=0.8, alpha=0.7)
    edge = [0.9 * min(r["evenness"] for r in networks), 1.1 * max(r["evenness_random"] for r in networks)]
    even.plot(edge, edge, color=MUTED, linestyle="--", linewidth=1)
    middle = math.sqrt(edge[0] * edge[1])
    even.annotate("as random phases", (middle, 1.1 * middle), color=MUTED, fontsize=8, ha="right", va="bottom")
    even.set(xscale="log", yscale="log", xlabel="rms exponential sum of random phases", ylabel="of the trained phases")
    lock.set(yscale="log", xlabel="rms of ψ − 2φ (rad)", ylabel="1 − R² of the refined integral")
    rungs.set(yscale="log", xlabel="rung of the ladder", ylabel="1 − R²")
    proof.axhline(0, color=MUTED, linestyle="--", linewidth=1)
    proof.annotate(
        "certified whole above",
        (1, 0),
        (-2, 3),
        color=MUTED,
        fontsize=8,
        ha="right",
        va="bottom",
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )
    proof.set(xlabel="worst rectangle bound of a frequency (1 is vacuous)", ylabel="margin proved by linear / true")
    proof.set_title("The rectangle bound and the proof", fontsize=10)
    even.set_title("Trained phases against chance", fontsize=10)
    lock.set_title("Locked phases and the integral", fontsize=10)
    rungs.set_title("What each rung leaves unexplained", fontsize=10)
    figure.legend(*lock.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    _finish(figure, path)


def draw_dynamics(dynamics: list[Row], path: Path) -> None:
    """Draw accuracy, structure and certificate against the epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    learn, shape, proof = figure.subplots(1, 3, sharex=True)
    for line, rows in zip(("-", "--", "-.", ":"), _networks(dynamics).values(), strict=False):
        epochs = [max(row["epoch"], 0.7) for row in rows]
        label = f"seed {rows[0]['seed']}"
        learn.plot(epochs, [row["accuracy"] for row in rows], line, color=SERIES[0], label=f"accuracy, {label}")
        certified = [row.get("linear_certified", 0.0) for row in rows]
        learn.plot(epochs, certified, line, color=SERIES[1], label=f"certified (linear), {label}")
        shape.plot(epochs, [row["mismatch_rms"] for row in rows], line, color=SERIES[0], label=f"rms ψ − 2φ, {label}")
        shape.plot(epochs, [row["evenness"] for row in rows], line, color=SERIES[2], label=f"exponential sums, {label}")
        shape.plot(epochs, [row["evenness_random"] for row in rows], line, color=SERIES[2], alpha=0.35, linewidth=1)
        unexplained = [max(1 - row["r_squared_quadrature"], 1e-4) for row in rows]
        proof.plot(epochs, unexplained, line, color=SERIES[3], label=f"1 − R² of the integral, {label}")
        secondary = [r["sigma"] if r["sigma"] > 1e-3 else math.nan for r in rows]
        proof.plot(epochs, secondary, line, color=SERIES[4], label=f"secondary frequency σ, {label}")
        if all("adaptive_cost" in row for row in rows):
            costs = [row["adaptive_cost"] for row in rows]
            proof.plot(epochs, costs, line, color=SERIES[1], label=f"cost of adaptive, {label}")
    learn.set(xscale="log", ylabel="fraction of all inputs", title="Right, then provably right")
    shape.set(yscale="log", ylabel="rad; relative sum", title="Phases lock, then spread evenly")
    proof.set(yscale="log", ylabel="relative", title="The integral takes over; σ grows")
    for axes in (learn, shape, proof):
        axes.set_xlabel("epoch")
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    _finish(figure, path)


def _finish(figure: Any, path: Path) -> None:
    from matplotlib import rc_context

    for axes in figure.axes:
        axes.grid(visible=True, color=GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        for spine in ("top", "right"):
            axes.spines[spine].set_visible(False)
        axes.title.set_color(INK)
    with rc_context({"svg.hashsalt": "quadlens", "svg.fonttype": "path"}):
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
