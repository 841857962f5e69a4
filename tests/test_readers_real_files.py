"""Other projects' trained networks, read from their files beside the repository."""

import sys
from pathlib import Path

import pytest

from quadlens.circuits.forward import evaluate
from quadlens.circuits.load import load
from quadlens.errors import UnsupportedModelError

MODEL_A_MIN_MARGIN = 14.296051456423513
LINEAR_D_MIN_MARGIN = 11.022

RELATIVE = 1e-6  # what the reference promises; float64 tables of float32 weights agree far better


def test_the_pizza_transformer_has_the_reference_margin(shared: Path) -> None:
    circuit = load(shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt")
    measured = evaluate(circuit)
    assert (circuit.p, circuit.neurons, measured.accuracy) == (59, 512, 1.0)
    assert measured.min_margin == pytest.approx(MODEL_A_MIN_MARGIN, rel=RELATIVE)


def test_the_linear_network_has_the_reference_margin(shared: Path) -> None:
    circuit = load(shared / "checkpoints" / "pizza" / "model_qlvxqhkvit.pt")
    measured = evaluate(circuit)
    assert (circuit.family, measured.accuracy) == ("pizza linear D", 1.0)
    assert measured.min_margin == pytest.approx(LINEAR_D_MIN_MARGIN, abs=5e-4)  # known to three decimals


def test_the_clock_network_is_refused_with_the_reason(shared: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=r"l8k1hzciux.*attention depends on the input.*--freeze-attention"):
        load(shared / "checkpoints" / "pizza" / "model_l8k1hzciux.pt")


def test_the_gbmi_file_loads_without_transformer_lens(shared: Path) -> None:
    (path,) = (shared / "checkpoints" / "gbmi").glob("*.pth")
    circuit = load(path)
    assert (circuit.p, circuit.neurons, evaluate(circuit).accuracy) == (59, 512, 1.0)
    assert not [name for name in sys.modules if name.startswith("transformer_lens")]
