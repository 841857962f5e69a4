"""A population as a table: one row for each network, and means over seeds with confidence intervals."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quadlens.claims import Estimate
from quadlens.errors import OptionError
from quadlens.sweep.result_file import read_result

LOCKED_MISMATCH = 0.1
"""A group is called locked when the weighted rms of ``ψ − 2φ`` is below this many radians."""

NEGLIGIBLE_SHARE = 0.01
"""A group with less than this share of the total weight ``Σ r u`` is not counted as a key frequency."""

LEVEL = 0.95

Row = dict[str, Any]


def result_rows(files: Iterable[Path]) -> list[Row]:
    """Return one row for each result file, sorted by configuration and seed.

    Raises
    ------
    CheckpointError
        If a file is not a sweep's result.
    """
    rows = [row_of(read_result(file)) for file in files]
    return sorted(rows, key=lambda row: (row["p"], row["neurons"], row["activation"], row["epochs"], row["seed"]))


def row_of(result: Mapping[str, Any]) -> Row:
    """Return the numbers of one result that the tables are made of."""
    item = result["item"]
    row: Row = {name: item["options"][name] for name in ("p", "neurons", "activation", "epochs")}
    row["seed"] = item["seed"]
    row["training_seconds"] = round(result["training_seconds"], 1)
    return row | analysis_row(result)


def analysis_row(found: Mapping[str, Any]) -> Row:
    """Return the numbers of one analysis (``quadlens.sweep.worker.analyse``).

    Means over groups are weighted by ``W``. ``evenness`` is the rms over ``m = 1 … 5`` and groups of
    ``|Σ r u e^{imφ}| / W``; ``evenness_random`` the same of independent random phases with the same weights,
    ``√(Σ (r u)²) / W``; results made before that was written have ``1/√n_k``, which is no larger.
    """
    groups = found["fit"]["frequencies"]
    total = sum(group["weight"] for group in groups)
    keys = [group for group in groups if group["weight"] > NEGLIGIBLE_SHARE * total]
    share = np.array([group["weight"] for group in keys])
    share = share / share.sum() if keys else share

    def mean(values: Sequence[float]) -> float:
        return float(share @ np.array(values)) if keys else math.nan

    locked = [group["phase_mismatch_rms"] < LOCKED_MISMATCH for group in keys]
    evaluation, terms = found["evaluation"], found["decompose"]["terms"]
    row: Row = {
        "accuracy": evaluation["accuracy"],
        "min_margin": evaluation["min_margin"],
        "mean_margin": evaluation["mean_margin"],
        "key_frequencies": len(keys),
        "frequencies": " ".join(str(group["frequency"]) for group in keys),
        "locked_groups": sum(locked),
        "mismatch_rms": math.sqrt(mean([group["phase_mismatch_rms"] ** 2 for group in keys])) if keys else math.nan,
        "sigma": mean([-(group["s_A"][0] + group["s_B"][0]) / 2 for group in keys]),
        "sigma_imaginary": mean([(group["s_A"][1] + group["s_B"][1]) / 2 for group in keys]),
        "kappa": mean([group["kappa"] for group in keys]),
        "asymmetry": mean([(group["e_B"][0] - group["e_A"][0]) / 2 for group in keys]),
        "evenness": math.sqrt(mean([float(np.mean(np.square(group["exponential_sums"][:5]))) for group in keys]))
        if keys
        else math.nan,
        "evenness_random": math.sqrt(mean([_chance(group) ** 2 for group in keys])) if keys else math.nan,
    }
    for stage in found["decompose"]["stages"]:
        row[f"r_squared_{stage['name']}"] = stage["r_squared"]
    for term in terms:
        row[f"term_{term['name']}"] = term["relative_l2"]
    for method, certificate in found["certify"].items():
        row |= _certificate_row(method, certificate, {group["frequency"] for group in keys})
    return row


def _chance(group: Mapping[str, Any]) -> float:
    return float(group.get("chance", 1 / math.sqrt(group["neurons"])))


def _certificate_row(method: str, certificate: Mapping[str, Any], keys: set[int]) -> Row:
    if "error" in certificate or certificate.get("refusal"):
        return {f"{method}_refused": 1}
    row: Row = {f"{method}_refused": 0}
    if method == "rectangle":
        totals = [record["total"] for record in certificate["frequencies"] if record["frequency"] in keys]
        row["rectangle_worst"] = max(totals) if totals else math.nan
        row["rectangle_non_vacuous"] = sum(total < 1 for total in totals) / len(totals) if totals else 0.0
        return row
    row[f"{method}_certified"] = certificate["certified_accuracy"]
    if certificate["margin_lower_bound"] is not None:
        row[f"{method}_margin"] = certificate["margin_lower_bound"]
    row[f"{method}_cost"] = certificate["operations"] / certificate["brute_force_operations"]
    row[f"{method}_seconds"] = round(certificate["seconds"], 2)
    return row


def csv_text(rows: Sequence[Row]) -> str:
    """Return the rows as CSV, numbers with six digits, missing values empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _text(value) for name, value in row.items()})
    return out.getvalue()


def read_csv(text: str) -> list[Row]:
    """Return the rows of ``csv_text``, numbers as numbers."""
    return [
        {name: _value(value) for name, value in row.items() if value not in ("", None)}
        for row in csv.DictReader(io.StringIO(text))
    ]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A quantity over the networks of one configuration; the mean of two or more has a confidence interval."""

    configuration: str
    quantity: str
    networks: int
    mean: float
    interval: Estimate | None
    smallest: float
    largest: float


def statistics(rows: Sequence[Row]) -> list[Statistic]:
    """Return mean, confidence interval over seeds and range of every numerical column, for each configuration.

    The interval is Student's at level 0.95: it assumes that seeds are independent and the mean is near normal, which
    few seeds cannot show. It is an estimate.
    """
    described = ("p", "neurons", "activation", "epochs", "seed", "frequencies")
    found = []
    for configuration, members in _by_configuration(rows).items():
        names = dict.fromkeys(name for row in members for name in row if name not in described)
        for name in names:
            values = np.array([row[name] for row in members if isinstance(row.get(name), (int, float))], dtype=float)
            values = values[np.isfinite(values)]
            if values.size:
                found.append(_statistic(configuration, name, values))
    return found


def configuration_of(row: Row) -> str:
    """Return the configuration of a row in words."""
    return f"p = {row['p']}, n = {row['neurons']}, {row['activation']}, {row['epochs']:,} epochs"


def _by_configuration(rows: Sequence[Row]) -> dict[str, list[Row]]:
    if not rows:
        raise OptionError("there is no result to summarise; run the sweep first")
    members: dict[str, list[Row]] = {}
    for row in rows:
        members.setdefault(configuration_of(row), []).append(row)
    return members


def _statistic(configuration: str, quantity: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> Statistic:
    mean = float(values.mean())
    interval = None
    if values.size > 1:
        from scipy.stats import t

        half = float(t.ppf((1 + LEVEL) / 2, values.size - 1) * values.std(ddof=1) / math.sqrt(values.size))
        method = f"Student t over {values.size} seeds, level {LEVEL}"
        interval = Estimate(value=mean, low=mean - half, high=mean + half, method=method)
    return Statistic(
        configuration=configuration,
        quantity=quantity,
        networks=int(values.size),
        mean=mean,
        interval=interval,
        smallest=float(values.min()),
        largest=float(values.max()),
    )
