"""``quadlens convert``: what comes out reads back the same, and nothing is written over what went in."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from quadlens.circuits import native
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.construct import construct
from quadlens.circuits.load import load
from quadlens.cli.convert import command
from quadlens.errors import CheckpointError, OutputError


def one_hot(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    state = {"mlp.W_in": torch.randn(6, 5, generator=generator), "mlp.W_out": torch.randn(5, 6, generator=generator)}
    said = folder / "p_5_dmlp_6_ReLU_x"
    said.mkdir(exist_ok=True)
    torch.save({"model": state}, said / "net.pth")
    return said / "net.pth"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_checkpoint_converts_to_the_same_tables(tmp_path: Path) -> None:
    original, out = one_hot(tmp_path), tmp_path / "out.safetensors"
    result = run(original, out, "--json")
    assert result.exit_code == 0, result.output
    given, made = load(original), load(out)
    for name in TABLES:
        np.testing.assert_array_equal(getattr(made, name), getattr(given, name))
    assert dict(made.radius) == dict(given.radius)
    assert made.weights is not None
    printed = json.loads(result.stdout)
    assert printed["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    provenance = native.read_provenance(out)
    assert provenance["original"] == "net.pth"
    assert provenance["original_sha256"] == hashlib.sha256(original.read_bytes()).hexdigest()
    assert float(provenance["accuracy"]) == printed["accuracy"]


def test_a_circuit_of_tables_converts_too(tmp_path: Path) -> None:
    native.write(construct(p=9, frequencies=(1, 2), neurons=8), tmp_path / "in.safetensors")
    result = run(tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    assert result.exit_code == 0, result.output
    assert "written to" in result.stdout
    assert "accuracy" in result.stdout
    np.testing.assert_array_equal(load(tmp_path / "out.safetensors").A, load(tmp_path / "in.safetensors").A)


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    original = one_hot(tmp_path)
    before = original.read_bytes()
    result = run(original, original)
    assert isinstance(result.exception, OutputError)
    assert "is the file to convert; name another" in str(result.exception)
    assert original.read_bytes() == before


@pytest.mark.parametrize("out", ["no/such/folder/out.safetensors", ".", "x" * 300])
def test_an_output_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path, out: str) -> None:
    original = one_hot(tmp_path)
    result = run(original, tmp_path / out)
    assert isinstance(result.exception, OutputError)
    assert "cannot write" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == [original.parent.name]
    assert [path.name for path in original.parent.iterdir()] == ["net.pth"]


def test_the_size_limit_is_an_option(tmp_path: Path) -> None:
    original = one_hot(tmp_path)
    with original.open("ab") as handle:
        handle.truncate(2 * 2**20)  # a sparse file: larger than the limit, and no longer a zip
    result = run(original, tmp_path / "out", "--max-megabytes", 1)
    assert isinstance(result.exception, CheckpointError)
    assert "has 2097152 bytes, more than the limit of 1048576" in str(result.exception)


def test_frozen_attention_is_said_in_the_summary(shared: Path, tmp_path: Path) -> None:
    clock = shared / "checkpoints" / "pizza" / "model_l8k1hzciux.pt"
    result = run(clock, tmp_path / "out", "--freeze-attention", "--json")
    assert result.exit_code == 0, result.output
    frozen = json.loads(result.stdout)["frozen_attention"]
    assert "accuracy 100 % becomes" in run(clock, tmp_path / "out", "--freeze-attention").stdout
    assert frozen["accuracy_before"] == 1.0
    assert frozen["accuracy_after"] < 1.0
    assert frozen["logit_change"] > 1.0
    assert "attention frozen" in load(tmp_path / "out").family
