"""Small files that ask for much: each is refused by the budget that counts it, in little time and memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from quadlens.circuits.limits import ALLOWANCES, MAX_BYTES, Budget, Limits
from quadlens.circuits.load import load
from quadlens.errors import CheckpointError

pytest.importorskip("resource", reason="measures with the resource module, which POSIX has")

from benchmarks import amplify

REASONS = {
    "bytes of one text": "bytes made by calls",
    "records of one dict": "dictionary entries",
    "ordered dicts of one dict": "dictionary entries",
    "types of one tuple": "dictionary entries",
    "sizes of one tuple": "calls something other than a known function with a short tuple",
    "views of one storage": "bytes of float64 tensors",
    "views of one storage, transposed": "bytes of float64 tensors",
    "arrays behind a count of one": "bytes of zip directory",
    "a header of signs": "has a header that nests too deeply",
    "an array of zeros, by lzma": "compressed in a way that numpy does not write",
    "an array of negative size": "must have at most 8 dimensions, got shape (-",
    "an array of two negative sizes": "must have at most 8 dimensions, got shape (-",
    "one tensor many times": "bytes of float64 tensors",
    "a tensor set to another size": "changes something other than a record",
    "integers of one hash": "a key that is neither short text nor a small integer",
    "pairs as keys": "a key that is neither short text nor a small integer",
    "one long key again and again": "a key that is neither short text nor a small integer",
    "ordered dicts": "calls",
    "places of the memo": "of its memo, torch counts from 0",
    "entries behind a count of one": "bytes of zip directory",
    "entries of long names": "bytes of zip directory",
    "one product added": "multiply-adds",
    "a column times a row": "bytes of products",
    "certificate of keys": "arrays, objects and keys",
}


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, amplify.Measured]:
    """Return what each of the files costs, measured where nothing else has used memory."""
    folder = tmp_path_factory.mktemp("amplified")
    code = (
        "import json, sys; from pathlib import Path; from benchmarks import amplify\n"
        "folder = Path('.'); amplify.warm_up(folder); kinds = amplify.KINDS | amplify.CERTIFICATES\n"
        "print(json.dumps({name: amplify.run(folder, name, kinds[name], 1.0) for name in sys.argv[1:]}))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *REASONS], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name: amplify.Measured(*found) for name, found in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", REASONS)
def test_a_small_file_that_asks_for_much_is_refused_before_it_gets_it(
    costs: dict[str, amplify.Measured], name: str
) -> None:
    found = costs[name]
    assert found.status == 2, found
    assert REASONS[name] in found.error
    assert found.error.count("\n") == 1
    assert found.seconds < amplify.SECONDS, found
    assert found.peak < amplify.BYTES, found


def test_what_is_allowed_is_still_read(tmp_path: Path) -> None:
    """An optimizer's state has integers as keys, a state dict has attributes, tensors may share a storage."""
    one = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    parameter = torch.nn.Parameter(one)
    optimizer = torch.optim.AdamW([parameter])
    parameter.grad = one
    optimizer.step()
    content = {"model": {"mlp.W_in": one, "mlp.W_out": torch.randn(5, 6), "mlp.basis": one.t()}}
    content |= {"optimizer": optimizer.state_dict(), "other": torch.nn.Linear(2, 2).state_dict()}
    torch.save(content, tmp_path / "a")
    assert load(tmp_path / "a", activation="relu").neurons == 6


def test_the_refusal_names_the_option_and_a_value_that_helps() -> None:
    budget = Budget(where="it")
    budget.spend("bytes of float64 tensors", MAX_BYTES)
    with pytest.raises(CheckpointError, match=r"^it: it needs 134217729 .*, --max-megabytes 129 or more raises it"):
        budget.spend("bytes of float64 tensors", 1)
    raised = Budget(where="it", limits=Limits(max_bytes=129 * 2**20))
    raised.spend("bytes of float64 tensors", MAX_BYTES + 1)
    for resource, usual in ALLOWANCES.items():
        assert Limits(max_bytes=2 * MAX_BYTES).allowed(resource) == 2 * usual
        assert Limits(max_bytes=1).allowed(resource) in (usual, usual // MAX_BYTES)


def test_nothing_is_given_back_to_the_budget() -> None:
    with pytest.raises(CheckpointError, match="which is less than nothing"):
        Budget(where="it").spend("calls", -1)


def test_reading_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(where="it")
    budget.spend("calls", 1)
    monkeypatch.setattr("time.monotonic", lambda: budget.started + 61)
    with pytest.raises(CheckpointError, match=r"it: reading it took more than 60 seconds; .* --max-megabytes"):
        budget.spend("calls", 1)


@pytest.mark.parametrize("place", ["key", "attribute"])
def test_tensors_are_counted_wherever_they_are_named(tmp_path: Path, place: str) -> None:
    """Six matrices that view one storage become six matrices."""
    one = torch.zeros(1000, 1000, dtype=torch.float16)
    names = {f"blocks.0.{index}": one.view(1000, 1000) for index in range(6)}
    torch.save(names if place == "key" else {"model": [names]}, tmp_path / "views")
    with pytest.raises(CheckpointError, match=r"its tensors need 24000000 bytes of float64 tensors"):
        load(tmp_path / "views", max_bytes=23 * 10**6)
    with pytest.raises(CheckpointError, match="no known family"):
        load(tmp_path / "views", max_bytes=48 * 10**6)
