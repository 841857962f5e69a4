"""``python -m benchmarks``: every measurement of docs/performance.md, each in its own process, as JSON and a figure.

    python -m benchmarks                      the ladder up to p = 1009, about ten minutes on two cores
    python -m benchmarks --largest 4999       all of it
    python -m benchmarks --only small         p = 59 and the whole processes, under a minute
    python -m benchmarks --device cuda        linear and brute force on a GPU beside linear without one, and its limits

Brute force above p = 499 runs a part of the inputs and is scaled; the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.networks import LADDER
from benchmarks.side_by_side import side_by_side
from benchmarks.slopes import slope

LARGEST_EXACT = 113
LARGEST_ADAPTIVE = 1009
LARGEST_IN_MEMORY = 2003
LARGEST_WHOLE_BRUTE_FORCE = 499


def small_tasks() -> list[dict[str, Any]]:
    """What a user waits for at p = 59."""
    model = {"model": "p59-seed0"}
    methods = ("rectangle", "interval", "linear", "adaptive", "brute-force", "exact")
    run = ["-m", "quadlens"]
    return [
        *({"task": "method", "method": name, **model} for name in methods),
        *({"task": "brute", "dtype": dtype, **model} for dtype in ("float32", "float64")),
        {"task": "load", **model},
        {"task": "fit", **model},
        {"task": "decompose", **model},
        {"task": "integrals", "name": "ideal integrals, p = 1009"},
        {"task": "training", "name": "one epoch", "p": 59, "neurons": 512},
        {"task": "whole_process", "name": "import quadlens", "arguments": ["-c", "import quadlens"]},
        {"task": "whole_process", "name": "quadlens --help", "arguments": [*run, "--help"]},
        {"task": "whole_process", "name": "quadlens report", "arguments": [*run, "report", "-o", "{folder}"]},
    ]


def ladder_tasks(largest: int) -> list[dict[str, Any]]:
    """Every method over the ladder, as far as each can go, with brute force beside it."""
    tasks = []
    for p, neurons in LADDER:
        if p > largest:
            continue
        size = {"p": p, "neurons": neurons}
        methods = ["linear"] if p <= LARGEST_IN_MEMORY else []
        methods += ["adaptive"] if p <= LARGEST_ADAPTIVE else []
        methods += ["brute-force", "exact"] if p <= LARGEST_EXACT else []
        tasks += [{"task": "method", "method": method, **size} for method in methods]
        tasks += [{"task": "mapped", "method": "linear", **size}] if p > LARGEST_IN_MEMORY else []
        for dtype in ("float32", "float64") if p <= LARGEST_IN_MEMORY else ():
            part = {} if p <= LARGEST_WHOLE_BRUTE_FORCE else {"rows": max(1, 2 * 10**8 // (p * neurons))}
            tasks.append({"task": "brute", "dtype": dtype, **size, **part})
    return tasks


def device_tasks(device: str, largest: int) -> list[dict[str, Any]]:
    """``linear`` by numpy and by torch on a device, brute force on that device, and what the device can do at best."""
    tasks: list[dict[str, Any]] = [{"task": "rates", "device": device}]
    whole = LARGEST_WHOLE_BRUTE_FORCE if device == "cpu" else LARGEST_IN_MEMORY
    for p, neurons in LADDER:
        if p > largest:
            continue
        size = {"p": p, "neurons": neurons}
        tasks += [{"task": "method", "method": "linear", **size, **on} for on in ({}, {"device": device})]
        part = {} if p <= whole else {"rows": 24}
        tasks += [
            {"task": "brute", "dtype": dtype, "device": device, **size, **part} for dtype in ("float32", "float64")
        ]
    return tasks


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one", json.dumps(task)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return task | {"failed": done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def machine() -> dict[str, Any]:
    """Describe what the numbers were measured on."""
    import numpy

    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "load_before": os.getloadavg()[0],
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the ratios and slopes of ``linear`` against float32 brute force of the same run."""
    good = [r for r in results if "failed" not in r and "p" in r]
    linear = {r["p"]: r for r in good if r.get("method") == "linear"}
    brute = {r["p"]: r for r in good if r["task"] == "brute" and r["dtype"] == "float32"}
    out: dict[str, Any] = {
        "speed_up_over_float32_brute_force": {
            p: brute[p]["seconds"] / r["seconds"] for p, r in linear.items() if p in brute
        },
        "fewer_operations_than_brute_force": {
            p: r["brute_force_operations"] / r["operations"] for p, r in linear.items()
        },
        "operations_per_parameter": {p: r["operations"] / r["parameters"] for p, r in linear.items()},
        "peak_bytes_per_table_byte": {p: r["peak_bytes"] / r["table_bytes"] for p, r in linear.items()},
    }
    if len(linear) >= 3:
        P = [r["parameters"] for r in linear.values()]
        for what in ("seconds", "operations"):
            found = slope(P, [r[what] for r in linear.values()])
            out[f"slope_of_{what}"] = asdict(found)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=1009, help="largest p of the ladder (default 1009)")
    parser.add_argument("--only", choices=("small", "ladder"), help="one half of the measurements")
    parser.add_argument("-o", type=Path, default=Path("benchmarks/results"), help="folder for JSON and figure")
    parser.add_argument("--device", help="compare linear and brute force on this device of torch, and nothing else")
    options = parser.parse_args()
    if options.device:
        tasks = device_tasks(options.device, options.largest)
    else:
        tasks = [] if options.only == "ladder" else small_tasks()
        tasks += [] if options.only == "small" else ladder_tasks(options.largest)
    described, results = machine(), []
    for index, task in enumerate(tasks):
        results.append(run(task))
        shown = results[-1].get("failed") or f"{results[-1]['seconds']:.3g} s, {results[-1]['peak_bytes'] >> 20} MiB"
        label = " ".join(str(value) for key, value in task.items() if key not in ("task", "arguments"))
        print(f"[{index + 1}/{len(tasks)}] {task['task']} {label}: {shown}", flush=True)
    options.o.mkdir(parents=True, exist_ok=True)
    if options.device:
        compared = {"machine": described, "comparison": side_by_side(results), "results": results}
        (options.o / "device.json").write_text(json.dumps(compared, indent=1) + "\n")
        print(json.dumps(compared["comparison"], indent=1))
        return
    found = {"machine": described, "summary": summary(results), "results": results}
    (options.o / "performance.json").write_text(json.dumps(found, indent=1) + "\n")
    if options.only != "small":
        from benchmarks.figure import draw

        draw(found, options.o / "performance.svg")
    print(json.dumps(found["summary"], indent=1))


if __name__ == "__main__":
    main()
