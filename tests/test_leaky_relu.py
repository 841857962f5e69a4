"""A network with leaky ReLU is a circuit with ReLU: its logits, its proofs and its file are those of the network."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import quadlens as ql
from quadlens.certificates.certify import PROVERS
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.leaky_relu import goes_around_neurons, leaky_relu
from quadlens.circuits.weights import circuit_from_weights
from quadlens.errors import CircuitError

P, N, D = 5, 6, 4
SLOPES = (0.01, -0.5, 0.3, -1, 0)


def tensors() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(3)
    shapes = {"E": (P, D), "W_in": (D, N), "b_in": (N,), "W_out": (N, D), "b_out": (D,), "W_U": (D, P)}
    return {name: draw.standard_normal(shape) for name, shape in shapes.items()}


def read() -> Circuit:
    held = tensors()
    return ql.from_tensors(held, {name: name for name in held}, activation="relu")


def forward(slope: float) -> np.ndarray:
    """The network itself, by torch, for all inputs."""
    w = {name: torch.tensor(value) for name, value in tensors().items()}
    x = w["E"][:, None] + w["E"][None]
    hidden = torch.nn.functional.leaky_relu(x @ w["W_in"] + w["b_in"], slope)
    return ((hidden @ w["W_out"] + w["b_out"]) @ w["W_U"]).numpy()


def exact_margin(slope: float, a: int, b: int) -> Fraction:
    """The margin of the stored weights in fractions, by the definition."""
    w = {name: [[Fraction(x) for x in row] for row in np.atleast_2d(value)] for name, value in tensors().items()}

    def times(row: list[Fraction], matrix: list[list[Fraction]]) -> list[Fraction]:
        columns = zip(*matrix, strict=True)
        return [sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in columns]

    x = [s + t for s, t in zip(w["E"][a], w["E"][b], strict=True)]
    pre = [s + t for s, t in zip(times(x, w["W_in"]), w["b_in"][0], strict=True)]
    hidden = [h if h > 0 else Fraction(slope) * h for h in pre]
    logits = times([s + t for s, t in zip(times(hidden, w["W_out"]), w["b_out"][0], strict=True)], w["W_U"])
    right = logits.pop((a + b) % P)
    return right - max(logits)


@pytest.mark.parametrize("slope", SLOPES)
def test_the_logits_are_those_of_the_network(slope: float) -> None:
    c = leaky_relu(read(), slope)
    hidden = np.maximum(c.A[:, None] + c.B[None], 0)
    np.testing.assert_allclose(hidden @ c.U + c.S_a[:, None] + c.S_b[None], forward(slope), rtol=0, atol=1e-12)
    assert c.activation == "relu"
    assert f"slope {slope!r}" in c.provenance.said["activation"]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("method", ["linear", "adaptive", "brute-force", "exact", "interval"])
def test_bounds_hold_for_the_stored_weights(method: str, slope: float) -> None:
    c = leaky_relu(read(), slope)
    certificate = ql.certify(c, method)
    for bound in certificate.classes:
        least = min(exact_margin(slope, (bound.difference + b) % P, b) for b in range(P))
        assert Fraction(bound.margin_lower_bound) <= least
        if method == "exact":
            assert float(least) - bound.margin_lower_bound <= 1e-12
    assert ql.check(certificate, c).accepted
    assert method in PROVERS


def test_no_float32_bound_is_about_another_evaluation() -> None:
    relu, leaky = read(), leaky_relu(read(), 0.1)
    assert ql.certify(relu, "brute-force").float32_error is not None
    assert ql.certify(leaky, "brute-force").float32_error is None
    assert not goes_around_neurons(relu.weights)
    assert goes_around_neurons(leaky.weights)


def test_a_file_keeps_it(tmp_path: Path) -> None:
    c = leaky_relu(read(), 0.1)
    ql.save(c, tmp_path / "leaky.safetensors")
    again = ql.load(tmp_path / "leaky.safetensors")
    np.testing.assert_array_equal(again.S_a, c.S_a)
    assert again.provenance.said["activation"] == c.provenance.said["activation"]
    assert ql.certify(again, "exact").classes == ql.certify(c, "exact").classes


def test_what_is_no_leaky_relu_is_refused() -> None:
    for slope in (1, 1.5, float("nan"), "0.1", True):
        with pytest.raises(CircuitError, match="must be a number >= -1 and < 1"):
            leaky_relu(read(), slope)  # type: ignore[arg-type]
    with pytest.raises(CircuitError, match="read the network with the activation relu"):
        leaky_relu(ql.construct(p=5, frequencies=[1], neurons=8, activation="abs"), 0.1)
    vague = Circuit(p=3, A=np.eye(3), B=np.eye(3), U=np.eye(3), radius={"A": 1e-9})
    with pytest.raises(CircuitError, match="within a radius only"):
        leaky_relu(vague, 0.1)


def test_tables_are_a_network_too() -> None:
    c = leaky_relu(ql.construct(p=7, frequencies=(1, 2), neurons=12), 0.25)
    np.testing.assert_array_equal(circuit_from_weights(c.weights).U, c.U)
