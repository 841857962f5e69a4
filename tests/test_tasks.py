"""c ≡ s·a + t·b: renumbered inputs, told by the user or measured; the file's own word is held to."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.circuits.forward import evaluate, logits
from quadlens.circuits.load import load, load_measured
from quadlens.circuits.native import read, write
from quadlens.circuits.tasks import Task, task_from
from quadlens.cli.certify import command as certify_command
from quadlens.errors import CheckpointError, OptionError, UnsupportedModelError
from tests.test_readers_transformers import (
    P,
    all_inputs,
    column_forward,
    column_shapes,
    gbmi_file,
    random_state,
    row_shapes,
    save_pizza,
)

TASKS = [(1, 1), (1, -1), (-1, -1), (2, 3), (-3, 1)]


def solver(s: int, t: int, p: int = P, n: int = 48) -> dict[str, torch.Tensor]:
    """A joined one-hot network that answers s·a + t·b."""
    made = ql.construct(p=p, frequencies=(1, 2, 3), neurons=n)
    a = np.arange(p)
    W_in = np.concatenate([made.A[s * a % p], made.B[t * a % p]])
    return {"fc1.weight": torch.tensor(W_in.T.copy()), "fc2.weight": torch.tensor(made.U.T.copy())}


@pytest.mark.parametrize(("s", "t"), TASKS)
def test_a_network_of_another_task_is_addition_renumbered(tmp_path: Path, s: int, t: int) -> None:
    torch.save(solver(s, t), tmp_path / "a.pt")
    name = str(Task(p=P, s=s, t=t))
    plain = load(tmp_path / "a.pt", activation="relu")
    own = logits(plain, slice(0, P))
    a, b = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")
    assert (own.argmax(axis=-1) == (s * a + t * b) % P).all()
    for said in (name, "auto"):
        circuit = load(tmp_path / "a.pt", activation="relu", task=said)
        assert circuit.provenance.task == name
        assert evaluate(circuit).accuracy == 1.0
        # the same logits, the input (a, b) under the number (s·a, t·b)
        np.testing.assert_array_equal(logits(circuit, slice(0, P))[s * a % P, t * b % P], own)
        certificate = ql.certify(circuit, method="exact")
        assert certificate.certified
        assert check(certificate, circuit).accepted
        if name != "a + b":
            assert f"for {name} mod 7" in certificate.verdict
            assert not check(certificate, plain).accepted
    write(circuit, tmp_path / "n.safetensors")
    again = read(tmp_path / "n.safetensors")
    assert again.provenance.task == name
    assert evaluate(again).accuracy == 1.0
    assert load(tmp_path / "n.safetensors", task=name).provenance.task == name
    if name != "a - b":
        with pytest.raises(CheckpointError, match="says that its task is"):
            load(tmp_path / "n.safetensors", task="a - b")


def test_composite_and_even_p(tmp_path: Path) -> None:
    for p, s, t in ((8, 3, -1), (9, 2, 4), (15, -2, 7)):
        made = ql.construct(p=p, frequencies=(1, 2, 3), neurons=60)
        a = np.arange(p)
        torch.save(
            {"W_x": torch.eye(p), "W_y": torch.eye(p), "W_U": torch.tensor(made.U)}
            | {"W": torch.tensor(np.concatenate([made.A[s * a % p], made.B[t * a % p]]))},
            tmp_path / "a.pt",
        )
        circuit = load(tmp_path / "a.pt", task="auto")
        assert circuit.provenance.task == str(Task(p=p, s=s, t=t))
        assert evaluate(circuit).accuracy == 1.0


@pytest.mark.parametrize("sign", [0, 1])
def test_transformers_are_renumbered_too_frozen_or_not(tmp_path: Path, sign: int) -> None:
    state = random_state(column_shapes(P + sign, 2 + sign))
    for coefficient in (0, 0.5):
        path = save_pizza(tmp_path, state, {"attn_coeff": coefficient, "eqn_sign": sign})
        whole, measured = load_measured(path, freeze_attention=True)
        circuit, moved = load_measured(path, freeze_attention=True, task="2a - b")
        a, b = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")
        got = logits(circuit, slice(0, P))[2 * a % P, -b % P]
        np.testing.assert_allclose(got, logits(whole, slice(0, P)), rtol=0, atol=1e-9 * np.abs(got).max())
        assert (measured is None) == (moved is None) == (coefficient == 0)
        if moved is not None:
            tokens = all_inputs(sign=P if sign else None)
            own = column_forward(state, torch.relu, coefficient, causal=False)(tokens).numpy().reshape(P, P, -1)
            right = own[..., :P].argmax(axis=-1) == (2 * a - b) % P
            assert moved.accuracy_before.value == right.mean()


def test_the_file_s_word_is_held_to(tmp_path: Path) -> None:
    state = random_state(column_shapes(P, 2))
    path = save_pizza(tmp_path, state, {"attn_coeff": 0, "funcs": f"lambda x: (x[0]-x[1])%{P}"})
    with pytest.raises(UnsupportedModelError, match=r"was trained on 'lambda x: .*say --task 'a - b'"):
        load(path)
    circuit = load(path, task="a - b")
    assert circuit.provenance.task == "a - b"
    assert circuit.provenance.said["task"] == "a - b, by funcs of config_abc123.json"
    with pytest.raises(UnsupportedModelError, match=r"says that its task is a - b, not 2a \+ b"):
        load(path, task="2a + b")
    path = gbmi_file(tmp_path, random_state(row_shapes(P, 2)), fn_name="subtract")
    with pytest.raises(UnsupportedModelError, match="was trained on 'subtract'"):
        load(path)
    assert load(path, task="a - b").provenance.task == "a - b"
    path = save_pizza(tmp_path, state, {"attn_coeff": 0, "funcs": f"lambda x: (x[0]*x[1])%{P}"})
    with pytest.raises(UnsupportedModelError, match=r"was trained on .*only s·a \+ t·b mod p"):
        load(path, task="auto")


def test_a_network_of_no_such_task_is_refused_with_what_was_measured(tmp_path: Path) -> None:
    state = solver(1, 1)
    a, b = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")
    # one neuron for each input: it multiplies
    rows = np.eye(P)
    W_in = torch.tensor(np.concatenate([np.repeat(rows, P, axis=1), np.tile(rows, P)]) - 0.25)
    W_out = torch.tensor(np.eye(P)[(a * b % P).ravel()])
    torch.save({"fc1.weight": W_in.T.contiguous() * 1.0, "fc2.weight": W_out.T.contiguous() * 9}, tmp_path / "a.pt")
    bias = {"fc1.bias": torch.full((P * P,), -1.0, dtype=torch.float64)}
    torch.save(torch.load(tmp_path / "a.pt", weights_only=True) | bias, tmp_path / "a.pt")
    with pytest.raises(UnsupportedModelError, match=r"answers no s·a \+ t·b mod 7: measured .* a·b on 100 %"):
        load(tmp_path / "a.pt", activation="relu", task="auto")
    assert state


@pytest.mark.parametrize(
    ("text", "message"),
    [("a * b", "written as"), ("a", "written as"), ("7a + b", "no divisor in common"), ("0a + b", "no divisor")],
)
def test_texts_that_are_no_task_are_refused(tmp_path: Path, text: str, message: str) -> None:
    torch.save(solver(1, 1), tmp_path / "a.pt")
    with pytest.raises(OptionError, match=message):
        load(tmp_path / "a.pt", activation="relu", task=text)


@pytest.mark.parametrize("text", ["a + b", "a - b", "-a - b", "2a + 3b", "-3a - 2b"])
def test_a_task_is_written_as_it_is_read(text: str) -> None:
    assert str(task_from(text, 11)) == text
    assert str(task_from(text.replace(" ", "").replace("a", "*a") if text[0].isdigit() else text, 11)) == text


def test_the_command_line_prints_what_it_measured(tmp_path: Path) -> None:
    torch.save(solver(1, -1), tmp_path / "a.pt")
    given = [str(tmp_path / "a.pt"), "--activation", "relu", "--task", "auto"]
    done = CliRunner().invoke(certify_command, given)
    text = " ".join(done.output.split())
    assert "task: a - b, by measuring its answers on all 49 inputs" in text
    assert "for a - b mod 7" in text
    assert "inputs: (x, y) stands for the file's (a, b) with x = 1·a, y = -1·b mod 7" in text
    as_json = json.loads(CliRunner().invoke(certify_command, [*given, "--json"]).output)
    assert as_json["provenance"]["task"] == "a - b"


def test_a_comparison_says_that_its_inputs_are_renumbered(tmp_path: Path) -> None:
    torch.save(solver(1, -1), tmp_path / "a.pt")
    found = ql.compare(load(tmp_path / "a.pt", activation="relu", task="a - b"), 5, 6)
    first, second, *_ = repr(found).splitlines()
    assert first.startswith("Comparison at x = 5, y = 6, c = 4 (mod 7)")
    assert second == "(x, y) stands for the file's (a, b) with x = 1·a, y = -1·b mod 7"
    assert second.replace("'", "&#x27;") in found._repr_html_()
    torch.save(solver(1, 1), tmp_path / "b.pt")
    assert repr(ql.compare(load(tmp_path / "b.pt", activation="relu"), 5, 6)).startswith("Comparison at a = 5, b = 6")
