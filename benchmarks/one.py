"""One measurement in a process of its own, so that peak memory is that measurement's: prints one JSON object.

``python -m benchmarks.one '{"task": "method", "method": "linear", "p": 59, "neurons": 512}'``
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import quadlens as ql
from benchmarks.networks import network
from quadlens.certificates.record.certificate import Certificate

ENOUGH_SECONDS = 2.0
MOST_REPEATS = 25


def peak_bytes() -> int:
    """Return the largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def timed(work: Callable[[], Any], *, repeats: int | None = None) -> dict[str, Any]:
    """Run ``work`` twice, and more until two seconds have passed; return the fastest, the median and the first time.

    The first has what only a new process pays: compiled code to load, memory to be given.
    """
    seconds = []
    while len(seconds) < 2 or (sum(seconds) < ENOUGH_SECONDS and len(seconds) < (repeats or MOST_REPEATS)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return {
        "seconds": min(seconds),
        "median_seconds": statistics.median(seconds),
        "first_seconds": seconds[0],
        "repeats": len(seconds),
    }


def circuit_of(task: dict[str, Any]) -> ql.Circuit:
    """Return the network that a task names: bundled, or the ladder's of its size."""
    if "model" in task:
        return ql.bundled(task["model"])
    return network(task["p"], task["neurons"])


def method(task: dict[str, Any]) -> dict[str, Any]:
    circuit = circuit_of(task)
    before = peak_bytes()
    certificates = []
    options = {"device": task["device"]} if "device" in task else {}
    out = timed(lambda: certificates.append(ql.certify(circuit, method=task["method"], **options)))
    certificate = certificates[-1]
    return out | _proved(circuit, certificate) | {"bytes_before": before}


def _proved(circuit: ql.Circuit, certificate: Certificate) -> dict[str, Any]:
    return {
        "parameters": circuit.parameters,
        "operations": certificate.operations,
        "brute_force_operations": certificate.brute_force_operations,
        "certified_accuracy": certificate.certified_accuracy,
        "margin_lower_bound": certificate.margin_lower_bound,
        "table_bytes": sum(getattr(circuit, name).nbytes for name in ("A", "B", "U", "S_a", "S_b")),
    }


WRITE = "import sys; from benchmarks.networks import network; from quadlens.circuits.native import write;"
WRITE += " write(network(int(sys.argv[1]), int(sys.argv[2])), sys.argv[3])"


def mapped(task: dict[str, Any]) -> dict[str, Any]:
    """Certify by ``linear`` from a file of tables, mapped into memory; another process writes it first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.safetensors"
        subprocess.run([sys.executable, "-c", WRITE, str(task["p"]), str(task["neurons"]), str(path)], check=True)
        started = time.perf_counter()
        circuit = ql.load(path, max_bytes=2**40, mapped=True)
        loaded = time.perf_counter()
        certificate = ql.certify(circuit, method="linear")
        seconds = {"load_seconds": loaded - started, "seconds": time.perf_counter() - loaded}
        return seconds | _proved(circuit, certificate) | {"file_bytes": path.stat().st_size}


def brute(task: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.brute_force import brute_force

    circuit = circuit_of(task)
    result = brute_force(circuit, task["dtype"], rows=task.get("rows"), device=task.get("device", "cpu"))
    return {
        "seconds": result.seconds_all,
        "measured_seconds": result.seconds,
        "scaled_from_a_part": result.scaled,
        "inputs_run": result.inputs_run,
        "right": result.right,
        "operations": 2 * circuit.p**3 * circuit.neurons,
    }


def rates(task: dict[str, Any]) -> dict[str, Any]:
    """Measure what a device can do at best: bytes moved by a large copy, operations of a large matrix product."""
    from benchmarks.rates import measured_rates

    started = time.perf_counter()
    found = measured_rates(task["device"])
    return {"seconds": time.perf_counter() - started} | found


def integrals(task: dict[str, Any]) -> dict[str, Any]:
    """Time the ideal integrals of a frequency group by the closed form, scipy and mpmath."""
    from benchmarks.ideal_integrals import ideal_integrals

    return ideal_integrals()


def training(task: dict[str, Any]) -> dict[str, Any]:
    """Time one epoch of training: from the tables, the plain way, and by TransformerLens where it is installed."""
    from benchmarks.training import training_epochs
    from quadlens.circuits.training_options import TrainingOptions

    return training_epochs(TrainingOptions(p=task["p"], neurons=task["neurons"]), 30)


def fit(task: dict[str, Any]) -> dict[str, Any]:
    circuit = circuit_of(task)
    return timed(lambda: ql.fit(circuit))


def decompose(task: dict[str, Any]) -> dict[str, Any]:
    circuit = circuit_of(task)
    return timed(lambda: ql.decompose(circuit))


def load(task: dict[str, Any]) -> dict[str, Any]:
    return timed(lambda: ql.bundled(task.get("model")))


def whole_process(task: dict[str, Any]) -> dict[str, Any]:
    """Time a fresh interpreter: an import, a help page, or the whole report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *(part.format(folder=Path(folder) / "out") for part in task["arguments"])]
        return timed(lambda: subprocess.run(command, check=True, capture_output=True), repeats=5)


TASKS = {
    "method": method,
    "mapped": mapped,
    "brute": brute,
    "rates": rates,
    "integrals": integrals,
    "training": training,
    "fit": fit,
    "decompose": decompose,
    "load": load,
    "whole_process": whole_process,
}


def main() -> None:
    task = json.loads(sys.argv[1])
    result = TASKS[task["task"]](task)
    print(json.dumps(task | result | {"peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
