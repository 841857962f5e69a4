"""What a worker does with one item: train, fit, decompose, certify, write one result file.

Only paths and plain values go in and out, so the work can run in any process on any machine that sees the folder.
What a killed worker left behind is used: a finished network, the state of an unfinished one, each only where it says
that it is of this very item.
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
from quadlens.circuits.limits import MAX_BYTES
from quadlens.errors import CheckpointError, QuadlensError
from quadlens.files import make_folder, write_atomically
from quadlens.sweep.item import SweepItem, item_from_dict
from quadlens.sweep.result_file import accepted, read_result
from quadlens.untrusted_text import one_line

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

LEFT_OUT = ("classes", "prover", "misclassified")


def run_item(item: Mapping[str, Any], folder: str) -> tuple[str, ...]:
    """Make the result of one item (``SweepItem.to_dict``) under ``folder``; return what was set aside, in sentences.

    Raises
    ------
    QuadlensError
        If the training or the analysis cannot be done; a method that fails is recorded in the result instead.
    """
    import torch

    torch.set_num_threads(1)
    todo, root = item_from_dict(item), Path(folder)
    result, notes = todo.result_file(root), list[str]()
    if accepted(result, lambda: read_result(result), notes):
        return tuple(notes)
    for path in (todo.network_file(root), result):
        make_folder(path.parent)
    started = time.monotonic()
    circuit, provenance = trained(todo, root, notes)
    found: dict[str, Any] = {"item": todo.to_dict(), "name": todo.name, "provenance": provenance}
    found["training_seconds"] = time.monotonic() - started
    found |= analyse(circuit, todo.methods)
    if todo.snapshot_epochs:
        found["snapshots"] = _snapshots(todo, root)
    write_atomically(result, json.dumps(found, indent=1, allow_nan=False))
    return tuple(notes)


def trained(item: SweepItem, folder: Path, notes: list[str]) -> tuple[Circuit, dict[str, str]]:
    """Return the item's network and its provenance, trained now unless its file is there.

    ``notes`` takes a sentence for each file that is not what its name says, and was set aside.
    """
    from quadlens.certificates.record.digest import network_digest
    from quadlens.circuits.native import write
    from quadlens.circuits.trained_network import TrainedNetwork, load_state, train

    file = item.network_file(folder)

    def there(path: Path, epoch: int) -> bool:
        return accepted(path, lambda: read_network(path, item, epoch), notes)

    missing = [epoch for epoch in item.snapshot_epochs if not there(item.snapshot_file(folder, epoch), epoch)]
    if not there(file, item.options.epochs) or missing:

        def keep(network: TrainedNetwork) -> None:
            path = item.snapshot_file(folder, network.epoch)
            make_folder(path.parent)
            write(network.weights, path, provenance=provenance(network))

        def provenance(network: TrainedNetwork) -> dict[str, str]:
            return network.provenance("quadlens sweep") | {"sha256": network_digest(network.circuit())}

        state_file = item.state_file(folder)
        accepted(state_file, lambda: load_state(state_file, item.options, (item.seed,)), notes)
        network = train(
            item.options,
            item.seed,
            snapshot=keep,
            snapshot_epochs=missing,
            resume_file=state_file,
        )
        write(network.weights, file, provenance=provenance(network))
    return read_network(file, item, item.options.epochs)


def read_network(file: Path, item: SweepItem, epoch: int) -> tuple[Circuit, dict[str, str]]:
    """Return the item's network as it was at ``epoch``, and its provenance.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or does not say that it is this network, or its weights are not those it speaks of.
    """
    from quadlens.certificates.record.digest import network_digest
    from quadlens.circuits.native import read, read_provenance

    if not file.is_file():
        raise CheckpointError(f"{one_line(file)} is not a regular file")
    options = item.options
    largest = max(MAX_BYTES, 64 * (options.layout.size + 3 * options.p * options.neurons + 2 * options.p**2))
    circuit, said = read(file, max_bytes=largest), read_provenance(file, max_bytes=largest)
    expected = {"seed": str(item.seed), "epoch": str(epoch), "options": options.as_text()}
    expected["sha256"] = network_digest(circuit)
    differs = [name for name, text in expected.items() if said.get(name) != text]
    sizes = (circuit.p, circuit.neurons, circuit.activation)
    if differs or sizes != (options.p, options.neurons, options.activation):
        what = f"it differs in {', '.join(differs)}" if differs else "its tables are of another size"
        raise CheckpointError(f"{one_line(file)} is not the network {item.network} at epoch {epoch} ({what})")
    return circuit, said


def analyse(circuit: Circuit, methods: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, form, decomposition and certificates of a circuit as JSON values."""
    from dataclasses import asdict

    from quadlens.certificates.ladder.decompose import decompose
    from quadlens.circuits.forward import evaluate
    from quadlens.form.amplitude_phase import fit

    form = fit(circuit)
    return {
        "evaluation": asdict(evaluate(circuit)),
        "fit": form.to_dict(),
        "decompose": decompose(circuit, form).to_dict(),
        "certify": {method: _certified(circuit, method) for method in methods},
    }


def _certified(circuit: Circuit, method: str) -> dict[str, Any]:
    from quadlens.certificates.certify import certify
    from quadlens.certificates.record.file import as_data

    try:
        certificate = certify(circuit, method=method)
    except QuadlensError as error:
        return {"method": method, "error": str(error)}
    # what is left out is long (p ledgers) or depends on the classes; the table needs the totals
    return {key: value for key, value in as_data(certificate).items() if key not in LEFT_OUT}


def _snapshots(item: SweepItem, folder: Path) -> list[dict[str, Any]]:
    return [
        {"epoch": epoch} | analyse(read_network(item.snapshot_file(folder, epoch), item, epoch)[0], item.methods)
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
