"""``quadlens train``, ``construct`` and ``models`` as a user meets them."""

import json
import shlex

import numpy as np
import pytest

from quadlens.circuits.native import read, read_provenance
from quadlens.cli import main
from quadlens.cli.construct import whole_numbers
from quadlens.errors import OptionError

SMALL = ("--p", "7", "--neurons", "24", "--d-model", "16", "--epochs", "30")


def run(capsys, *arguments):
    """Return exit status, stdout and stderr of one command."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    return stop.value.code, captured.out, captured.err


def test_train_writes_a_network_and_how_to_make_it_again(capsys, tmp_path):
    file = tmp_path / "net.safetensors"
    status, out, err = run(capsys, "train", *SMALL, "--seed", "3", "-o", str(file))
    assert (status, err) == (0, "")
    assert "of 49 inputs" in out
    assert str(file) in out
    provenance = read_provenance(file)
    assert provenance["seed"] == "3"
    assert "torch" in provenance["versions"]
    again = tmp_path / "again.safetensors"
    words = shlex.split(provenance["command"])
    assert words[:2] == ["quadlens", "train"]
    assert words[-2:] == ["-o", "net.safetensors"]
    assert run(capsys, *words[1:-1], str(again))[0] == 0
    for name in ("A", "B", "U", "S_a", "S_b"):
        assert np.array_equal(getattr(read(file), name), getattr(read(again), name))


def test_train_json(capsys, tmp_path):
    status, out, _ = run(capsys, "train", *SMALL, "-o", str(tmp_path / "net"), "--json")
    given = json.loads(out)
    assert status == 0
    assert given["epoch"] == 30
    assert 0 <= given["accuracy"] <= 1
    assert given["train_accuracy"] > given["test_accuracy"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--p", "2"), "p must be an integer >= 3, got 2"),
        (("--p", "x"), "Invalid value for '--p'"),
        (("--neurons", "0"), "neurons must be an integer >= 1, got 0"),
        (("--activation", "softplus"), "activation must be one of relu"),
        (("--train-fraction", "1.1"), "train_fraction must be > 0 and <= 1, got 1.1"),
        (("--learning-rate", "nan"), "learning_rate must be > 0 and finite, got nan"),
        (("--seed", "-1"), "seed must be an integer >= 0, got -1"),
        (("--learning-rate", "1e30"), "training diverged"),
    ],
)
def test_train_refuses_in_one_line(capsys, tmp_path, options, message):
    file = tmp_path / "net"
    status, out, err = run(capsys, "train", *SMALL, *options, "-o", str(file))
    assert status == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not file.exists()


@pytest.mark.parametrize("command", [("train", *SMALL), ("construct", "--p", "7", "--frequencies", "1,2")])
def test_output_that_cannot_be_written_is_refused(capsys, tmp_path, command):
    for output, message in ((tmp_path, "it is a directory"), (tmp_path / "no" / "net", "No such file or directory")):
        status, out, err = run(capsys, *command, "-o", str(output))
        assert status == 2
        assert out == ""
        assert message in err
        assert err.count("\n") == 1


def test_output_is_checked_before_the_training(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("quadlens.circuits.trained_network.train", lambda *a, **k: pytest.fail("it trained first"))
    assert run(capsys, "train", *SMALL, "-o", str(tmp_path))[0] == 2


def test_construct(capsys, tmp_path):
    file = tmp_path / "made"
    status, out, _ = run(capsys, "construct", "--p", "12", "--frequencies", "1-2,5", "--neurons", "30", "-o", str(file))
    assert status == 0
    assert str(file) in out
    circuit = read(file)
    assert (circuit.p, circuit.neurons, circuit.activation) == (12, 30, "relu")
    status, out, _ = run(capsys, "construct", "--p", "12", "--frequencies", "1", "-o", str(file), "--json")
    assert json.loads(out)["neurons"] == 512


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--frequencies", "1,x"), "frequencies must be whole numbers of at most 15 digits, such as 3,15,17 or 0-31"),
        (("--frequencies", "5-3"), "frequencies must name at least one number"),
        (("--frequencies", "9"), "frequencies must be distinct integers in 1..5"),
        (("--frequencies", "1", "--noise", "-1"), "noise >= 0"),
        (("--frequencies", "1", "--seed", "-1"), "seed must be >= 0"),
    ],
)
def test_construct_refuses_in_one_line(capsys, tmp_path, options, message):
    status, out, err = run(capsys, "construct", "--p", "12", *options, "-o", str(tmp_path / "made"))
    assert status == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_whole_numbers():
    assert whole_numbers("3,15, 17", "seeds") == [3, 15, 17]
    assert whole_numbers("0-3,7", "seeds") == [0, 1, 2, 3, 7]
    for text in ("", "a", "1-", "-1", "1.5", "1--2", "0-99999999999"):
        with pytest.raises(OptionError, match="seeds must"):
            whole_numbers(text, "seeds")
