"""Tensors of any names, once it is said what each is: against a pass without the reader, from memory and from files."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import quadlens as ql
from quadlens.circuits.forward import logits
from quadlens.cli.fit import command as fit_command
from quadlens.errors import CheckpointError, OptionError
from tests.test_readers_of_many import N, P, assert_reads_as, randn, seeded  # noqa: F401  (a fixture)
from tests.test_readers_transformers import all_inputs, random_state, row_forward, row_shapes

D, M = 5, 6
A, B = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")


def network(kind: str) -> tuple[dict[str, torch.Tensor], dict[str, str], torch.Tensor]:
    """Tensors, what each is, and all logits."""
    one = torch.eye(P, dtype=torch.float64)
    if kind == "one embedding, summed":
        t = {"e": randn(P, D), "h.w": randn(N, D), "h.b": randn(N), "o": randn(P, N), "o.b": randn(P)}
        roles = {"e": "E", "h.w": "W_in.T", "h.b": "b_in", "o": "W_out.T", "o.b": "b_out"}
        return t, roles, torch.relu((t["e"][A] + t["e"][B]) @ t["h.w"].T + t["h.b"]) @ t["o"].T + t["o.b"]
    if kind == "two embeddings, joined, unembedded":
        t = {"ea": randn(P, D), "eb": randn(P, 3), "w": randn(D + 3, N), "v": randn(N, M), "c": randn(M)}
        t |= {"u": randn(M, P), "d": randn(P)}
        roles = {"ea": "E_a", "eb": "E_b", "w": "W_in", "v": "W_out", "c": "b_out", "u": "W_U", "d": "b_U"}
        hidden = torch.relu(torch.cat([t["ea"][A], t["eb"][B]], dim=-1) @ t["w"])
        return t, roles, (hidden @ t["v"] + t["c"]) @ t["u"] + t["d"]
    if kind == "one-hot, apart":
        t = {"x": randn(P, N), "y": randn(N, P), "z": randn(N, P)}
        return t, {"x": "W_in_a", "y": "W_in_b.T", "z": "W_out"}, torch.relu(t["x"][A] + t["y"].T[B]) @ t["z"]
    if kind == "one-hot, joined":
        t = {"x": randn(2 * P, N), "z": randn(N, P)}
        inputs = torch.cat([one[A], one[B]], dim=-1)
        return t, {"x": "W_in", "z": "W_U"}, torch.relu(inputs @ t["x"]) @ t["z"]
    t = {"1": randn(P, N), "2": randn(P, N), "3": randn(N, P), "4": randn(P, P)}
    return t, {"1": "A", "2": "B", "3": "U", "4": "S_b"}, torch.relu(t["1"][A] + t["2"][B]) @ t["3"] + t["4"][B]


KINDS = (
    "one embedding, summed",
    "two embeddings, joined, unembedded",
    "one-hot, apart",
    "one-hot, joined",
    "tables",
)


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_with_roles_are_the_network(kind: str) -> None:
    tensors, roles, expected = network(kind)
    circuit = ql.from_tensors(tensors, roles, activation="relu")
    assert_reads_as(circuit, expected)
    assert circuit.provenance.said["tensor names"] == "by the user's mapping"
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()} | {"unread": np.ones(3)}
    again = ql.from_tensors(arrays, roles, activation="relu")
    assert np.array_equal(again.A, circuit.A)
    assert "the tensors unread take no part" in " ".join(again.provenance.assumed)


def test_the_names_of_transformer_lens_are_roles() -> None:
    state = random_state(row_shapes(P, 2))
    renamed = {f"mine.{i}": tensor for i, tensor in enumerate(state.values())}
    roles = dict(zip(renamed, state, strict=True))
    flat = next(name for name, role in roles.items() if role == "unembed.W_U")
    renamed[flat], roles[flat] = renamed[flat].T, "unembed.W_U.T"
    circuit = ql.from_tensors(renamed, roles, activation="relu", attention="uniform")
    assert_reads_as(circuit, row_forward(state, torch.relu, 1)(all_inputs()))
    with pytest.raises(OptionError, match="attention must be one of uniform, softmax, got 'ones'"):
        ql.from_tensors(renamed, roles, activation="relu", attention="ones")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["torch", "wrapped", "safetensors", "npz", "compressed npz"])
def test_files_of_unknown_names_are_read_by_a_mapping(tmp_path: Path, kind: str, form: str) -> None:
    tensors, roles, expected = network(kind)
    path, names = tmp_path / "mine", tmp_path / "names.json"
    names.write_text(json.dumps(roles))
    if form == "torch":
        torch.save(tensors, path)
    elif form == "wrapped":
        torch.save({"stuff": tensors, "epoch": 3}, path)
    elif form == "safetensors":
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata={"by": "me"})
    else:
        with path.open("wb") as stream:
            save = np.savez if form == "npz" else np.savez_compressed
            save(stream, **{name: np.asfortranarray(tensor.numpy()) for name, tensor in tensors.items()})
    circuit = ql.load(path, map_names=names, activation="relu")
    assert_reads_as(circuit, expected)
    assert circuit.provenance.file == "mine"
    with pytest.raises(CheckpointError, match=r"no known family .*it holds the tensors"):
        ql.load(path)


def test_families_are_recognised_in_safetensors_and_npz(tmp_path: Path) -> None:
    state = {"mlp.W_in": randn(N, P), "mlp.W_out": randn(P, N)}
    save_file(state, tmp_path / "a.safetensors")
    with (tmp_path / "a.npz").open("wb") as stream:
        np.savez(stream, **{name: tensor.numpy() for name, tensor in state.items()})
    for name in ("a.safetensors", "a.npz"):
        circuit = ql.load(tmp_path / name, activation="relu")
        assert circuit.family == "one-hot MLP"
        assert np.array_equal(circuit.A, state["mlp.W_in"].numpy().T)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w1": "W_in"}, r"W_in must have 7 rows .* 14 for the inputs joined; it has 10: is it stored as .T"),
        ({"w1": "hidden"}, r"the role of 'w1' must be one of E, E_a, .* got 'hidden'"),
        ({"w1": "?"}, "must be one of E"),
        ({"w1": 3}, "must be one of E"),
        ({"w3": "b_in"}, "has no tensor 'w3' that the mapping names; it has w1, w2"),
        ({"w2": "W_in"}, "the mapping gives the role W_in to two tensors"),
        ({"w2": "A"}, "roles of one kind"),
        ({"w2": "E_a"}, "must say E, or both E_a and E_b; it says only E_a"),
        ({"w2": "b_in"}, r"must say W_in .* and W_out or W_U|must be matrices"),
    ],
)
def test_mappings_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    tensors = {"w1": randn(N, P), "w2": randn(N, P)}
    with pytest.raises(CheckpointError, match=message):
        ql.from_tensors(tensors, {"w1": "W_in.T", "w2": "W_out"} | change, activation="relu")


def test_bad_mappings_and_sizes() -> None:
    with pytest.raises(CheckpointError, match="the mapping must be a dict"):
        ql.from_tensors({"w1": randn(N, P)}, ["w1"], activation="relu")  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="roles of one kind"):
        ql.from_tensors({"w1": randn(N, P)}, {}, activation="relu")
    roles = {"e": "E", "w": "W_in", "v": "W_out"}
    with pytest.raises(CheckpointError, match="W_out gives 8 outputs, the embedding has 7 rows"):
        ql.from_tensors({"e": randn(P, D), "w": randn(D, N), "v": randn(N, P + 1)}, roles, activation="relu")
    with_sign = {"e": randn(P + 1, D), "w": randn(D, N), "v": randn(N, P)}
    circuit = ql.from_tensors(with_sign, roles, activation="relu")
    assert circuit.p == P
    assert "first 7 rows of the embedding" in " ".join(circuit.provenance.assumed)
    hidden = torch.relu((with_sign["e"][A] + with_sign["e"][B]) @ with_sign["w"])
    np.testing.assert_allclose(logits(circuit, slice(0, P)), (hidden @ with_sign["v"]).numpy(), rtol=0, atol=1e-10)


def npz(entries: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def array_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


HOSTILE_NPZ = {
    "objects": (npz({"a.npy": array_bytes(np.array([object], dtype=object))}), "must hold numbers, got dtype object"),
    "text": (npz({"a.npy": array_bytes(np.array(["x"]))}), "must hold numbers"),
    "short": (npz({"a.npy": array_bytes(np.ones(9))[:-8]}), "needs 72 bytes"),
    "long": (npz({"a.npy": array_bytes(np.ones(9)) + b"more"}), "needs 72 bytes"),
    "no array": (npz({"a.npy": b"nothing"}), "is not a readable npz file"),
    "bomb": (npz({"a.npy": bytes(2**28)}, compression=zipfile.ZIP_DEFLATED), "more than the limit"),
    "shape": (
        npz({"a.npy": array_bytes(np.ones(9)).replace(b"(9,), }" + b" " * 11, b"(999999999999,), }")}),
        "more than the limit",
    ),
}


@pytest.mark.parametrize("case", HOSTILE_NPZ)
def test_a_hostile_npz_is_refused(tmp_path: Path, case: str) -> None:
    content, message = HOSTILE_NPZ[case]
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        ql.load(tmp_path / "a.npz")


def test_a_pointer_of_git_lfs_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    with pytest.raises(CheckpointError, match="a pointer of git-lfs, not the file itself; get that with: git lfs pull"):
        ql.load(tmp_path / "a.pt")


def test_the_command_line_takes_a_mapping(tmp_path: Path) -> None:
    tensors, roles, _ = network(KINDS[0])
    torch.save(tensors, tmp_path / "mine.pt")
    (tmp_path / "names.json").write_text(json.dumps(roles))
    given = [str(tmp_path / "mine.pt"), "--activation", "relu", "--map-names", str(tmp_path / "names.json")]
    done = CliRunner().invoke(fit_command, [*given, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["provenance"]["said"]["tensor names"] == "by the user's mapping"
    # the file that an unknown one prints to start from is refused until it says something
    refused = CliRunner().invoke(fit_command, [str(tmp_path / "mine.pt")])
    start = str(refused.exception).split("starting from ")[1].split("; or make")[0]
    assert set(json.loads(start)) == set(tensors)
    (tmp_path / "names.json").write_text(start)
    assert "must be one of E" in str(CliRunner().invoke(fit_command, given).exception)


def run_piped(content: bytes, *arguments: str) -> Any:
    command = [sys.executable, "-m", "quadlens", *arguments]
    return subprocess.run(command, input=content, capture_output=True, check=False)


def test_a_file_may_be_piped(tmp_path: Path) -> None:
    torch.save({"mlp.W_in": randn(N, P), "mlp.W_out": randn(P, N)}, tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    done = run_piped(content, "fit", "-", "--activation", "relu", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["model"] == "standard input"
    assert said["provenance"]["file"] is None
    for given, message in ((b"", b"standard input is empty"), (bytes(2**20 + 1), b"more than the limit")):
        refused = run_piped(given, "fit", "-", "--max-megabytes", "1")
        assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1), refused.stderr
        assert message in refused.stderr
