"""What a worker does with one item: train, fit, decompose, certify, write one result file.

Only paths and plain values go in and out, so the work can run in any process on any machine that sees the folder.
What a killed worker left behind is used: a finished network, the state of an unfinished one.
"""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from quadlens.circuits.circuit import Circuit
from quadlens.errors import QuadlensError
from quadlens.files import make_folder, write_atomically
from quadlens.sweep.item import SweepItem, item_from_dict

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

LEFT_OUT = ("classes", "prover", "misclassified")


def run_item(item: Mapping[str, Any], folder: str) -> str:
    """Make the result of one item (``SweepItem.to_dict``) under ``folder``; return the result file's path.

    Raises
    ------
    QuadlensError
        If the training or the analysis cannot be done; a method that fails is recorded in the result instead.
    """
    import torch

    torch.set_num_threads(1)
    todo, root = item_from_dict(item), Path(folder)
    result = todo.result_file(root)
    if result.exists():
        return str(result)
    for path in (todo.network_file(root), result):
        make_folder(path.parent)
    started = time.monotonic()
    circuit, provenance = trained(todo, root)
    found: dict[str, Any] = {"item": todo.to_dict(), "name": todo.name, "provenance": provenance}
    found["training_seconds"] = time.monotonic() - started
    found |= analyse(circuit, todo.methods)
    if todo.snapshot_epochs:
        found["snapshots"] = _snapshots(todo, root)
    write_atomically(result, json.dumps(found, indent=1, allow_nan=False))
    return str(result)


def trained(item: SweepItem, folder: Path) -> tuple[Circuit, dict[str, str]]:
    """Return the item's network and its provenance, trained now unless its file is there."""
    from quadlens.circuits.native import read, read_provenance, write
    from quadlens.circuits.trained_network import TrainedNetwork, train

    file = item.network_file(folder)
    missing = [epoch for epoch in item.snapshot_epochs if not item.snapshot_file(folder, epoch).exists()]
    if not file.exists() or missing:

        def keep(network: TrainedNetwork) -> None:
            path = item.snapshot_file(folder, network.epoch)
            make_folder(path.parent)
            write(network.weights, path, provenance={"epoch": str(network.epoch)})

        state_file = item.state_file(folder)
        network = train(
            item.options,
            item.seed,
            snapshot=keep,
            snapshot_epochs=missing,
            resume_file=state_file,
        )
        write(network.weights, file, provenance=network.provenance("quadlens sweep"))
    return read(file), read_provenance(file)


def analyse(circuit: Circuit, methods: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, form, decomposition and certificates of a circuit as JSON values."""
    from dataclasses import asdict

    from quadlens.circuits.forward import evaluate
    from quadlens.decomposition.ladder import decompose
    from quadlens.form.amplitude_phase import fit

    form = fit(circuit)
    return {
        "evaluation": asdict(evaluate(circuit)),
        "fit": form.to_dict(),
        "decompose": decompose(circuit, form).to_dict(),
        "certify": {method: _certified(circuit, method) for method in methods},
    }


def _certified(circuit: Circuit, method: str) -> dict[str, Any]:
    from quadlens.certificates.certificate_file import as_data
    from quadlens.certificates.certify import certify

    try:
        certificate = certify(circuit, method=method)
    except QuadlensError as error:
        return {"method": method, "error": str(error)}
    # what is left out is long (p ledgers) or depends on the classes; the table needs the totals
    return {key: value for key, value in as_data(certificate).items() if key not in LEFT_OUT}


def _snapshots(item: SweepItem, folder: Path) -> list[dict[str, Any]]:
    from quadlens.circuits.native import read

    return [
        {"epoch": epoch} | analyse(read(item.snapshot_file(folder, epoch)), item.methods)
        for epoch in item.snapshot_epochs
    ]


def start_worker() -> None:
    """Prepare a worker process: one thread for linear algebra, and no life after its parent's."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)
