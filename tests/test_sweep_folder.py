"""A sweep's folder may hold anything: what is not what its name says is set aside with a sentence, never believed."""

import dataclasses
import json
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path
from typing import Any

import pytest

from quadlens.circuits import native
from quadlens.circuits.construct import construct
from quadlens.circuits.training_options import TrainingOptions
from quadlens.errors import CheckpointError
from quadlens.sweep.dynamics import dynamics_rows
from quadlens.sweep.item import SweepItem
from quadlens.sweep.result_file import read_result
from quadlens.sweep.run import run_sweep
from quadlens.sweep.table import result_rows

ITEM = SweepItem(
    options=TrainingOptions(p=5, neurons=12, d_model=8, epochs=12),
    seed=0,
    methods=("linear", "rectangle"),
    snapshot_epochs=(4,),
)
OTHER = dataclasses.replace(ITEM, seed=1)


class Here(Executor):
    """Runs everything at once, in this process."""

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished sweep of two networks."""
    folder = tmp_path_factory.mktemp("made")
    outcome = run_sweep([ITEM, OTHER], folder, Here())
    assert (len(outcome.results), outcome.failures, outcome.set_aside) == (2, (), ())
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, to be spoilt; what would hang is ended."""
    signal.alarm(120)
    shutil.copytree(made, tmp_path / "s")
    yield tmp_path / "s"  # type: ignore[misc]
    signal.alarm(0)


def place(result: Any, path: str) -> tuple[Any, Any]:
    *parts, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    for part in parts:
        result = result[part]
    return result, last


BIG = "9" * 5000
HOSTILE = {
    "nothing": "",
    "a list": "[1]",
    "an empty object": "{}",
    "nested": "[" * 100_000,
    "a key twice": '{"item": 1, "item": 2}',
    "many digits": f'{{"item": {BIG}}}',
    "NaN": '{"item": NaN}',
    "an escape": '{"item": "\\u001b[2J"}',
    "not text": b"\xff\xfe\x00",
}
CHANGED: dict[str, tuple[str, Any]] = {
    "p": ("item.options.p", 7),
    "p of text": ("item.options.p", "5"),
    "seed": ("item.seed", 1),
    "no seed": ("item.seed", None),
    "seed that is true": ("item.seed", True),
    "other options": ("item.options", {"q": 1}),
    "options of a list": ("item.options", []),
    "methods": ("item.methods", ["linear"]),
    "methods of numbers": ("item.methods", [[1]]),
    "name": ("name", "another"),
    "accuracy above 1": ("evaluation.accuracy", 1.5),
    "accuracy of text": ("evaluation.accuracy", "1.0"),
    "accuracy that is true": ("evaluation.accuracy", True),
    "no evaluation": ("evaluation", []),
    "margin": ("evaluation.min_margin", 1e308),
    "huge integer": ("training_seconds", 10**400),
    "no neurons": ("fit.frequencies.0.neurons", 0),
    "negative weight": ("fit.frequencies.0.weight", -1.0),
    "frequencies of text": ("fit.frequencies", "abc"),
    "one component": ("fit.frequencies.0.s_A", [1.0]),
    "no sums": ("fit.frequencies.0.exponential_sums", []),
    "mismatch that overflows": ("fit.frequencies.0.phase_mismatch_rms", 1e300),
    "frequency that cannot be hashed": ("fit.frequencies.0.frequency", [1]),
    "stage with escapes": ("decompose.stages.0.name", "\x1b[2J"),
    "stage without a number": ("decompose.stages.0.r_squared", None),
    "terms of null": ("decompose.terms", None),
    "no operations": ("certify.linear.brute_force_operations", 0),
    "certificate of a list": ("certify.linear", []),
    "certificates of a list": ("certify", []),
    "another method": ("certify.adaptive", {"error": "x"}),
    "totals of text": ("certify.rectangle.frequencies.0.total", "x"),
    "snapshots of numbers": ("snapshots", [1]),
    "no snapshots": ("snapshots", []),
    "epoch of another": ("snapshots.0.epoch", 5),
    "snapshot that overflows": ("snapshots.0.fit.frequencies.0.kappa", 1e200),
}


def spoil(file: Path, name: str) -> None:
    if name in HOSTILE:
        content = HOSTILE[name]
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return
    result = json.loads(file.read_text())
    holder, key = place(result, CHANGED[name][0])
    holder[key] = CHANGED[name][1]
    file.write_text(json.dumps(result))


@pytest.mark.parametrize("name", [*HOSTILE, *CHANGED])
def test_a_hostile_result_is_refused_in_one_sentence_and_never_tabled(folder: Path, name: str) -> None:
    file = ITEM.result_file(folder)
    read_result(file)
    spoil(file, name)
    for read in (result_rows, dynamics_rows):
        with pytest.raises(CheckpointError, match=r"is not a sweep's result \(") as refusal:
            read([file])
        assert str(refusal.value).isprintable()
    content = file.read_bytes()
    outcome = run_sweep([ITEM, OTHER], folder, Here())
    assert (len(outcome.results), outcome.reused, outcome.failures) == (2, 1, ())
    assert len(outcome.set_aside) == 1
    assert "is not a sweep's result (" in outcome.set_aside[0]
    (aside,) = file.parent.glob("*.set-aside-*")
    assert aside.name in outcome.set_aside[0]
    assert aside.read_bytes() == content


def other_network(folder: Path, path: Path) -> None:
    shutil.copy(OTHER.network_file(folder), path)


def other_snapshot(folder: Path, path: Path) -> None:
    shutil.copy(ITEM.snapshot_file(folder, 4), path)


def constructed(folder: Path, path: Path) -> None:
    native.write(construct(p=13, frequencies=(1, 2), neurons=24), path)


def changed_weight(folder: Path, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def cut(folder: Path, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def pipe(folder: Path, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_nothing_that_ends(folder: Path, path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def directory(folder: Path, path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILT = (other_network, other_snapshot, constructed, changed_weight, cut, pipe, link_to_nothing_that_ends, directory)


@pytest.mark.parametrize("which", ["network", "snapshot"])
@pytest.mark.parametrize("how", SPOILT)
def test_a_network_that_is_not_the_item_s_is_set_aside_and_trained(
    folder: Path, how: Callable[[Path, Path], None], which: str
) -> None:
    file = ITEM.network_file(folder) if which == "network" else ITEM.snapshot_file(folder, 4)
    if which == "snapshot" and how is other_snapshot:
        return
    kept, result = file.read_bytes(), json.loads(ITEM.result_file(folder).read_text())
    ITEM.result_file(folder).unlink()
    how(folder, file)
    outcome = run_sweep([ITEM, OTHER], folder, Here())
    assert outcome.failures == ()
    assert len(outcome.set_aside) == 1
    assert f"{file.name}" in outcome.set_aside[0]
    assert file.read_bytes() == kept
    again = json.loads(ITEM.result_file(folder).read_text())
    assert (again["evaluation"], again["fit"]) == (result["evaluation"], result["fit"])
    assert len(list(file.parent.glob("*.set-aside-0"))) == 1


@pytest.mark.parametrize("how", ["pipe", "zero", "nonsense", "huge", "other"])
def test_a_state_that_is_not_the_item_s_is_set_aside(folder: Path, how: str) -> None:
    from quadlens.circuits.train import initial_state
    from quadlens.circuits.trained_network import save_state

    for file in (ITEM.result_file(folder), ITEM.network_file(folder)):
        file.unlink()
    state = ITEM.state_file(folder)
    if how == "pipe":
        os.mkfifo(state)
    elif how == "zero":
        state.symlink_to("/dev/zero")
    elif how == "nonsense":
        state.write_bytes(b"nonsense")
    elif how == "huge":
        with state.open("wb") as handle:
            handle.truncate(2**40)
    else:
        save_state(initial_state(ITEM.options, (7,)), state)
    outcome = run_sweep([ITEM, OTHER], folder, Here())
    assert outcome.failures == ()
    assert len(outcome.set_aside) == 1
    assert state.name in outcome.set_aside[0]


@pytest.mark.parametrize("how", [pipe, link_to_nothing_that_ends, directory])
def test_what_is_no_file_is_no_result(folder: Path, how: Callable[[Path, Path], None]) -> None:
    how(folder, ITEM.result_file(folder))
    outcome = run_sweep([ITEM, OTHER], folder, Here())
    assert (len(outcome.results), outcome.reused, len(outcome.set_aside)) == (2, 1, 1)


def test_a_scheduler_that_goes_is_a_failure_of_each_item_it_had(tmp_path: Path) -> None:
    class Gone(Executor):
        def __init__(self) -> None:
            self.taken = 0

        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            self.taken += 1
            if self.taken > 1:
                raise ConnectionError("scheduler gone")
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    outcome = run_sweep([ITEM, OTHER], tmp_path, Gone())
    assert outcome.results == ()
    reasons = [failure.reason for failure in outcome.failures]
    assert reasons[0].startswith(CancelledError.__name__)
    assert reasons[1] == "ConnectionError: scheduler gone"
