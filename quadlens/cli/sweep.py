"""``quadlens sweep``: a population, trained and analysed, resumably."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from quadlens.cli.construct import whole_numbers
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import (
    WHOLE,
    explain,
    is_quiet,
    json_option,
    next_step,
    print_json,
    print_table,
    same_command,
    say,
)
from quadlens.errors import OptionError
from quadlens.untrusted_text import one_line

MOST_SNAPSHOTS = 1000
SHOWN = (
    "accuracy",
    "key_frequencies",
    "mismatch_rms",
    "sigma",
    "kappa",
    "evenness",
    "evenness_random",
    "r_squared_quadrature",
    "rectangle_worst",
    "linear_certified",
    "adaptive_certified",
    "adaptive_cost",
)
"""The quantities of the printed table; the files hold all of them."""


@click.command(epilog="Example: quadlens sweep --p 59 --seeds 0-31 -o population")
@click.option("--p", default="59", show_default=True, help="Numbers of residues, such as 59 or 31,97.")
@click.option("--seeds", default="0-31", show_default=True, help="Seeds, such as 0-31 or 3,5.")
@click.option("--neurons", default="512", show_default=True, help="Numbers of neurons, such as 512,1024.")
@click.option("--activation", default="relu", show_default=True, help="Activations, such as relu,abs,gelu.")
@click.option("--d-model", type=WHOLE, default=128, show_default=True, help="Width of the residual stream.")
@click.option("--epochs", type=WHOLE, default=10_000, show_default=True, help="Full-batch steps.")
@click.option("--train-fraction", type=float, default=0.8, show_default=True, help="Share of the pairs trained on.")
@click.option("--learning-rate", type=float, default=1e-3, show_default=True, help="Of AdamW.")
@click.option("--weight-decay", type=float, default=1.0, show_default=True, help="Of AdamW.")
@click.option("--methods", default="rectangle,linear,adaptive", show_default=True, help="How to certify; '' for not.")
@click.option("--snapshots", type=WHOLE, default=0, help="Log-spaced epochs analysed per decade: training dynamics.")
@click.option("--workers", type=WHOLE, help="Processes on this machine (one a core by default).")
@click.option("--dask", "address", help="Address of a Dask scheduler, such as tcp://host:8786, to run on instead.")
@click.option("-o", "--output", required=True, type=click.Path(), help="Folder; a second run does what is missing.")
@json_option
def command(
    p: str,
    seeds: str,
    neurons: str,
    activation: str,
    methods: str,
    snapshots: int,
    workers: int | None,
    address: str | None,
    output: str,
    as_json: bool,
    **training: Any,
) -> int:
    """Train and analyse a population of networks: one result file each, a table of all, statistics over seeds."""
    from quadlens.sweep.item import log_spaced_epochs, sweep_items

    if not 0 <= snapshots <= MOST_SNAPSHOTS:
        raise OptionError(f"snapshots must be >= 0 and at most {MOST_SNAPSHOTS} a decade, got {snapshots}")
    if workers is not None and address is not None:
        raise OptionError("give --workers or --dask, not both: a Dask cluster has its own workers")
    items = sweep_items(
        p=whole_numbers(p, "p"),
        neurons=whole_numbers(neurons, "neurons"),
        activation=_names(activation),
        seeds=whole_numbers(seeds, "seeds"),
        methods=_names(methods),
        snapshot_epochs=log_spaced_epochs(training["epochs"], snapshots) if snapshots else (),
        **training,
    )
    outcome = _run(items, output, workers, address)
    return _show(outcome, Path(output), as_json)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _run(items: Any, output: str, workers: int | None, address: str | None) -> Any:
    from quadlens.sweep.run import dask_executor, run_locally, run_sweep

    started = time.monotonic()
    silent = is_quiet() or sys.stderr.isatty()  # a terminal has the bar, with the time left

    def on_item(name: str, done: int, total: int, fresh: int) -> None:
        if not silent:
            left = (time.monotonic() - started) / fresh * (total - done)
            click.echo(f"{done}/{total} {name}, about {left / 60:.0f} min left", err=True)

    with progress_bar("sweep") as report:
        if address is None:
            return run_locally(items, output, workers=workers, progress=report, on_item=on_item)
        with dask_executor(address) as executor:
            return run_sweep(items, output, executor, progress=report, on_item=on_item)


def _show(outcome: Any, folder: Path, as_json: bool) -> int:
    from dataclasses import asdict

    from quadlens.files import write_atomically
    from quadlens.sweep.table import csv_text, result_rows, statistics

    rows = result_rows(outcome.results)
    found = statistics(rows) if rows else []
    summary = folder / "table.csv"
    if rows:
        write_atomically(summary, csv_text(rows))
    if as_json:
        print_json(
            {
                "networks": len(rows),
                "reused": outcome.reused,
                "failures": [asdict(failure) for failure in outcome.failures],
                "table": str(summary) if rows else None,
                "set_aside": list(outcome.set_aside),
                "statistics": [asdict(statistic) for statistic in found],
            }
        )
    else:
        for configuration in dict.fromkeys(statistic.configuration for statistic in found):
            chosen = {s.quantity: s for s in found if s.configuration == configuration}
            print_table(
                configuration,
                ["quantity", "networks", "mean", "95 % interval", "range"],
                (_line(chosen[name]) for name in SHOWN if name in chosen),
            )
        for sentence in outcome.set_aside:
            explain(sentence)
        where = f"every number in {one_line(summary)}" if rows else "so there is no table"
        say(f"\n{len(rows)} networks ({outcome.reused} were there before), {where}")
        if outcome.failures:
            next_step(same_command(), "try again what failed, for the reasons below")
    if outcome.failures:
        first = outcome.failures[0]
        more = "" if len(outcome.failures) == 1 else f" (and {len(outcome.failures) - 1} more)"
        click.echo(f"quadlens: {first.name} failed: {first.reason}{more}", err=True)
    return 1 if outcome.failures else 0


def _line(s: Any) -> list[str]:
    interval = "–" if s.interval is None else f"{s.interval.low:.4g} … {s.interval.high:.4g}"
    return [s.quantity, str(s.networks), f"{s.mean:.4g}", interval, f"{s.smallest:.4g} … {s.largest:.4g}"]
