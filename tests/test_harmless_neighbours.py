"""What people's checkpoints hold beside the weights: read safely and ignored, in every protocol of pickle."""

import argparse
import collections
import datetime
import pathlib
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits.limits import ALLOWANCES, Budget
from quadlens.circuits.load import load
from quadlens.circuits.safe_torch import PickledArray, PickledConfig, PickledObject, read_torch
from quadlens.errors import CheckpointError

P, NEURONS = 5, 6
PROTOCOLS = (2, 3, 4, 5)


def weights() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(7)
    return {
        "mlp.W_in": torch.randn(NEURONS, P, generator=draw),
        "mlp.W_out": torch.randn(P, NEURONS, generator=draw),
    }


NEIGHBOURS: dict[str, Any] = {
    "Namespace": argparse.Namespace(p=P, lr=1e-3, layers=[1, 2], nested=argparse.Namespace(x=1)),
    "SimpleNamespace": types.SimpleNamespace(seed=3),
    "path": pathlib.PosixPath("/some/where/run.pt"),
    "pure path": pathlib.PurePosixPath("a/b"),
    "windows path": pathlib.PureWindowsPath("c:/runs/a"),
    "defaultdict": collections.defaultdict(list, {"loss": [0.5, 0.25]}),
    "defaultdicts": {
        "a": collections.defaultdict(dict, {"x": {}}), "b": collections.defaultdict(set), "c": collections.defaultdict()
    },
    "OrderedDict": collections.OrderedDict(a=1, b=[2]),
    "Counter": collections.Counter("aab"),
    "deque": collections.deque([1, 2, 3], maxlen=5),
    "set": {1, 2, "three"},
    "frozenset": frozenset({1, 2}),
    "complex": 1 + 2j,
    "bytes": b"abc" * 100,
    "bytearray": bytearray(b"abc"),
    "array": np.arange(2000.0).reshape(40, 50),
    "transposed array": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    "array of objects": np.array([1, "two", None], dtype=object),
    "array of booleans": np.ones(3, dtype=bool),
    "scalars": [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)],
    "state of a generator": np.random.RandomState(0).get_state(),
    "date": datetime.datetime(2026, 1, 2, 3, 4),
    "types": [np.float32, torch.int64, list],
    "integers": [torch.arange(3), torch.arange(3, dtype=torch.int8), torch.arange(3, dtype=torch.int16)],
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "long text": "x" * 100_000,
    "text of many alphabets": "ψ = 2φ \U0001f642 \ud800",
    "history": [0.1 * i for i in range(20_000)],
}


def saved(folder: Path, tree: Any, protocol: int) -> Path:
    torch.save(tree, folder / "net.pt", pickle_protocol=protocol)
    return folder / "net.pt"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_network_is_read_beside_a_harmless_neighbour(tmp_path: Path, name: str, protocol: int) -> None:
    path = saved(tmp_path, {"before": NEIGHBOURS[name], "model": weights(), "after": NEIGHBOURS[name]}, protocol)
    circuit, alone = load(path, activation="relu"), weights()
    np.testing.assert_array_equal(circuit.A, alone["mlp.W_in"].double().numpy().T)
    np.testing.assert_array_equal(circuit.U, alone["mlp.W_out"].double().numpy().T)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_of_them_together_with_tensors_that_share_what_they_hold(tmp_path: Path, protocol: int) -> None:
    state = weights()
    tree = {**NEIGHBOURS, "model": state, "again": state, "tied": [state["mlp.W_in"], state["mlp.W_in"].T]}
    path = saved(tmp_path, tree, protocol)
    found = read_torch(path.read_bytes(), Budget(where="it"))
    assert found["model"] is found["again"]
    assert found["tied"][0] is found["model"]["mlp.W_in"]
    assert torch.equal(found["tied"][1], state["mlp.W_in"].T)
    assert load(path, activation="relu").neurons == NEURONS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_made_of_them_holds_nothing_of_them(tmp_path: Path, protocol: int) -> None:
    found = read_torch(saved(tmp_path, NEIGHBOURS, protocol).read_bytes(), Budget(where="it"))
    for name in ("path", "pure path", "windows path", "complex", "bytearray", "date", "Counter"):
        assert type(found[name]) is PickledObject or found[name] is None or found[name] == b"abc", name
    assert type(found["array"]) is PickledArray
    assert not vars(found["array"])
    assert type(found["Namespace"]) is PickledConfig
    assert found["Namespace"].lr == 1e-3
    assert found["defaultdict"] == {"loss": [0.5, 0.25]}
    assert type(found["defaultdict"]) is dict
    assert found["scalars"][0] == 0.5
    assert found["deque"] == [1, 2, 3]
    assert found["text of many alphabets"] == NEIGHBOURS["text of many alphabets"]
    assert found["history"] == NEIGHBOURS["history"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_weights_that_are_numpy_arrays_are_refused_with_the_remedy(tmp_path: Path, protocol: int) -> None:
    state = {name: value.numpy() for name, value in weights().items()}
    with pytest.raises(CheckpointError, match=r"must be a tensor, got a numpy array; save torch\.from_numpy"):
        load(saved(tmp_path, {"model": state}, protocol), activation="relu")


class Trainer:
    """A class of one's own."""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_of_ones_own_is_refused_with_the_remedy(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(CheckpointError, match=r"asks for '.*Trainer', which no weights need; if the file is yours, sa"):
        load(saved(tmp_path, {"model": weights(), "trainer": Trainer()}, protocol), activation="relu")


def test_a_long_history_is_read_or_told_how(tmp_path: Path) -> None:
    path = saved(tmp_path, {"model": weights(), "losses": [0.5 + i for i in range(500_000)]}, 2)
    with pytest.raises(CheckpointError, match=r"pickle operations, more than the limit .* --max-megabytes \d+ or more"):
        load(path, activation="relu")
    assert load(path, activation="relu", max_bytes=2**28).neurons == NEURONS


def test_texts_written_again_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that protocol 4 keeps once and asks for often is written out each time."""
    monkeypatch.setitem(ALLOWANCES, "bytes made by calls", 10_000)
    path = saved(tmp_path, {"model": weights(), "labels": ["ab" * 20] * 1000}, 4)
    with pytest.raises(CheckpointError, match="bytes made by calls, more than the limit of 10000"):
        load(path, activation="relu")


def test_what_torch_is_handed_names_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = []

    def refuse(archive: Any, **_: Any) -> None:
        with zipfile.ZipFile(archive) as entries:
            handed.append(entries.read("archive/data.pkl"))
        raise RuntimeError

    monkeypatch.setattr(torch, "load", refuse)
    for protocol in PROTOCOLS:
        with pytest.raises(CheckpointError):
            read_torch(saved(tmp_path, NEIGHBOURS, protocol).read_bytes(), Budget(where="it"))
    assert len(handed) == len(PROTOCOLS)
    for written in handed:
        assert written[:2] == b"\x80\x02"
        assert not any(name in written for name in (b"pathlib", b"defaultdict\n", b"_reconstruct", b"_frombuffer"))
