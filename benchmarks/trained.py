"""``python -m benchmarks.trained FILE… -o docs/performance/trained.csv``: what is proved of trained networks.

A FILE is a bundled name or a checkpoint; ``quadlens sweep --p 59 --seeds 2-11 -o DIR`` makes those of the study.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import quadlens as ql
from quadlens.circuits.bundled import bundled_names

COLUMNS = (
    "network",
    "p",
    "neurons",
    "accuracy",
    "smallest_margin",
    "linear_accuracy",
    "linear_margin",
    "linear_operations",
    "linear_pairs",
    "adaptive_operations",
    "brute_force_operations",
)
"""Operations are over P, the number of parameters; ``smallest_margin`` is what ``adaptive`` proves."""


def row(name: str) -> dict[str, Any]:
    """Certify one network by ``linear`` and by ``adaptive``."""
    circuit = ql.bundled(name) if name in bundled_names() else ql.load(name)
    linear, adaptive = (ql.certify(circuit, method=method) for method in ("linear", "adaptive"))
    P = circuit.parameters
    return {
        "network": Path(name).name.split(".")[0],
        "p": circuit.p,
        "neurons": circuit.neurons,
        "accuracy": adaptive.certified_accuracy,
        "smallest_margin": f"{adaptive.margin_lower_bound:.6g}",
        "linear_accuracy": f"{linear.certified_accuracy:.6g}",
        "linear_margin": f"{linear.margin_lower_bound:.6g}",
        "linear_operations": f"{linear.operations / P:.4g}",
        "linear_pairs": sum(map(len, linear.prover["pairs"])),
        "adaptive_operations": f"{adaptive.operations / P:.4g}",
        "brute_force_operations": f"{adaptive.brute_force_operations / P:.4g}",
    }


def main() -> int:
    """Write the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with options.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for name in options.networks:
            found = row(name)
            writer.writerow(found)
            print(*found.values(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
