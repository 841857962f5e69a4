"""Training dynamics: the analysis of a network at every snapshot, and the epochs at which it became what it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quadlens.sweep.result_file import read_result
from quadlens.sweep.table import Row, analysis_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """The first snapshot from which on, without exception, a network has a property; None where it never has.

    ``generalises``: right on every input; ``quadrature``: the refined integral explains ``R² >= 0.99`` of its MLP;
    ``certifiable``: ``linear`` certifies every input.
    """

    seed: int
    generalises: int | None
    quadrature: int | None
    certifiable: int | None


def dynamics_rows(files: Iterable[Path]) -> list[Row]:
    """Return one row for each snapshot of each result that has snapshots, sorted by configuration, seed and epoch.

    Raises
    ------
    CheckpointError
        If a file is not a sweep's result.
    """
    rows = []
    for file in files:
        result = read_result(file)
        item, options = result["item"], result["item"]["options"]
        for snapshot in result.get("snapshots", ()):
            row: Row = {name: options[name] for name in ("p", "neurons", "activation")}
            rows.append(row | {"seed": item["seed"], "epoch": snapshot["epoch"]} | analysis_row(snapshot))
    return sorted(rows, key=lambda row: tuple(row[name] for name in ("p", "neurons", "activation", "seed", "epoch")))


def milestones(rows: Sequence[Row]) -> Milestones:
    """Return the milestones of one network, whose rows are in the order of their epochs."""
    return Milestones(
        seed=rows[0]["seed"],
        generalises=_from_then_on(rows, "accuracy", 1.0),
        quadrature=_from_then_on(rows, "r_squared_quadrature", 0.99),
        certifiable=_from_then_on(rows, "linear_certified", 1.0),
    )


def _from_then_on(rows: Sequence[Row], name: str, least: float) -> int | None:
    reached: int | None = None
    for row in rows:
        value = row.get(name)
        if value is None or not value >= least:
            reached = None
        elif reached is None:
            reached = row["epoch"]
    return reached
