"""Tables of any size: what would overflow says so in one sentence, and nothing else comes out than our own errors."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.record.certificate import METHODS
from quadlens.errors import CircuitError, QuadlensError

SIZES = [1e80, 1e120, 1e149, 1e154, 1e200, 1e307, 1e-160, 1e-310]
VERBS = {
    "evaluate": ql.evaluate,
    "fit": ql.fit,
    "decompose": ql.decompose,
    **{method: (lambda circuit, method=method: ql.certify(circuit, method=method)) for method in METHODS},
}


def scaled(hidden: float, out: float, activation: str = "relu", skip: float = 1.0) -> ql.Circuit:
    made = ql.construct(p=7, frequencies=(1, 2), neurons=24, noise=0.01, activation=activation)
    S = np.random.default_rng(0).standard_normal((7, 7)) * skip
    return ql.Circuit(p=7, A=made.A * hidden, B=made.B * hidden, U=made.U * out, S_a=S, S_b=S, activation=activation)


def test_tables_of_1e80_are_refused_in_one_sentence() -> None:
    """Their logits reach 1e161, whose squares are no float64: an OverflowError came out, or infinite numbers."""
    circuit = scaled(1e80, 1e80)
    for verb in (ql.evaluate, ql.fit, ql.decompose):
        with pytest.raises(CircuitError, match=r"logits may reach .*e\+16[01], more than 1e\+150; rescale the weights"):
            verb(circuit)
    with pytest.raises(CircuitError, match="so large that the square of an amplitude overflows"):
        ql.fit(scaled(1e200, 1e-200))
    with pytest.raises(CircuitError, match=r"logits may reach .*e\+299"):
        ql.construct(p=7, frequencies=(1, 2), neurons=24, kappa=1e149, activation="square")
    with pytest.raises(CircuitError, match="more than 1e\\+150"):
        ql.construct(p=7, frequencies=(1, 2), neurons=24, sigma=1e300)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("activation", ["relu", "square", "gelu"])
def test_nothing_but_our_own_errors_comes_out(verb: str, activation: str) -> None:
    circuits = [scaled(1, 1, activation, skip=1e200)]
    for size in SIZES:
        circuits += [scaled(size, size, activation), scaled(1, size, activation), scaled(size, 1, activation)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for circuit in circuits:
            with contextlib.suppress(QuadlensError):
                VERBS[verb](circuit)


def test_a_page_of_such_a_network_is_one_error(tmp_path: Path) -> None:
    from quadlens.circuits.native import write
    from quadlens.errors import CheckpointError

    write(scaled(1e80, 1e80), tmp_path / "large.safetensors")
    with pytest.raises(CheckpointError, match="logits may reach"):
        ql.load(tmp_path / "large.safetensors")
