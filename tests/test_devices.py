"""The certificates evaluated by torch are those of numpy, to rounding; on a GPU too, where there is one."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.certificates.compute import namespace
from quadlens.certificates.compute.device import EMULATION, device_named
from quadlens.certificates.compute.namespace import namespace_of
from quadlens.certificates.methods import brute_force
from quadlens.certificates.methods.linear import certify_linear
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.record.certificate import Certificate
from quadlens.cli import main
from quadlens.errors import OptionError

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA GPU")),
]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other after every small operation take minutes where another process is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_circuit(p: int, n: int, seed: int, activation: str = "relu", size: float = 1.0) -> ql.Circuit:
    g = np.random.default_rng(seed)
    A, B = size * g.standard_normal((2, p, n))
    # a dead neuron, and all others of one cell
    A[:, 0] = B[:, 0] = 0
    skip = {"S_a": g.standard_normal((p, p)), "S_b": g.standard_normal((p, p))}
    return ql.Circuit(p=p, A=A, B=B, U=g.standard_normal((n, p)), activation=activation, **skip)


CIRCUITS = {
    "one cluster": ql.construct(p=59, frequencies=(3, 15, 17), neurons=256, noise=0.02, seed=1),
    "clusters": ql.bundled("p59-seed0"),
    "even p": ql.construct(p=12, frequencies=(1, 3, 5), neurons=40, noise=0.05),
    "composite p": ql.construct(p=15, frequencies=(1, 3), neurons=40, noise=0.05),
    "frequencies with p in common": ql.construct(p=15, frequencies=(3, 5, 7), neurons=60, noise=0.05),
    "random": random_circuit(11, 24, 0),
    "modulus": random_circuit(11, 24, 6, activation="abs"),
    "modulus, constructed": ql.construct(p=17, frequencies=(3, 5), neurons=60, noise=0.05, activation="abs"),
    "one neuron": random_circuit(3, 1, 1),
    "skip path": random_circuit(8, 40, 3),
    "large numbers": random_circuit(7, 20, 4, size=1e30),
    "skip path alone": random_circuit(7, 5, 5, size=0.0),
}


def margins_of(certificate: Certificate) -> np.ndarray:
    return np.array([bound.margin_lower_bound for bound in certificate.classes])


def assert_same(found: Certificate, plain: Certificate, scale: float) -> None:
    """Same verdicts, choices and counted operations; bounds within 1e-9 of the scale of a margin.

    1e-9 and not 1e-13: a tail is the root of a difference that may be all rounding, which the rounding term covers.
    """
    assert found.prover == plain.prover
    assert found.operations == plain.operations
    assert [bound.certified for bound in found.classes] == [bound.certified for bound in plain.classes]
    assert (found.misclassified, found.misclassified_count) == (plain.misclassified, plain.misclassified_count)
    assert np.abs(margins_of(found) - margins_of(plain)).max() <= 1e-9 * scale
    for bound, other in zip(found.classes, plain.classes, strict=True):
        assert [term for term, _ in bound.ledger] == [term for term, _ in other.ledger]
        values = np.array([[value for _, value in one.ledger] for one in (bound, other)])
        assert np.abs(np.diff(values, axis=0)).max() <= 1e-9 * max(scale, np.abs(values).max())


def scale_of(circuit: ql.Circuit) -> float:
    mlp = np.abs(circuit.U).sum(axis=0).max() * max(np.abs(circuit.A).max(), np.abs(circuit.B).max())
    return float(mlp + np.abs(circuit.S_a).max() + np.abs(circuit.S_b).max())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", CIRCUITS)
def test_the_certificate_is_numpy_s(name: str, device: str) -> None:
    circuit = CIRCUITS[name]
    plain, found = (ql.certify(circuit, method="linear", device=where) for where in (None, device))
    assert_same(found, plain, scale_of(circuit))
    assert found.blame == plain.blame
    assert found.arithmetic == f"{plain.arithmetic}; evaluated by torch on {device}"


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("candidates", [0, 1])
def test_bounded_gates_are_numpy_s(candidates: int, device: str) -> None:
    circuit, budget = CIRCUITS["clusters"], Budget(candidates=candidates)
    plain, found = (certify_linear(circuit, budget=budget, device=where) for where in (None, device))
    assert plain.prover["bounded"]
    assert_same(found, plain, scale_of(circuit))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("activation", ["relu", "abs", "square"])
@pytest.mark.parametrize("radius", [0.0, 1e-3])
def test_brute_force_is_numpy_s(activation: str, radius: float, device: str) -> None:
    circuit = ql.construct(p=23, frequencies=(2, 5), neurons=60, noise=0.3, activation=activation)
    circuit = replace(circuit, radius={name: radius / (k + 1) for k, name in enumerate(("A", "B", "U", "S_a", "S_b"))})
    plain = ql.certify(circuit, method="brute-force")
    assert_same(ql.certify(circuit, method="brute-force", device=device), plain, scale_of(circuit))
    networks, rows = [brute_force.Network.of(circuit, namespace_of(where)) for where in (device, None)], slice(3, 9)
    found, bounds = (brute_force.margin_bounds(network, rows) for network in networks)
    # the width of the band itself, to a thousandth: it is far below what the margins are compared to
    np.testing.assert_allclose(found.high - found.low, bounds.high - bounds.low, rtol=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_brute_force_compares_answers_far_below_zero(device: str) -> None:
    circuit = random_circuit(7, 9, 5)
    circuit = replace(circuit, S_a=circuit.S_a - 1000.0)
    plain = ql.certify(circuit, method="brute-force")
    assert np.abs(margins_of(plain)).max() < 100
    assert_same(ql.certify(circuit, method="brute-force", device=device), plain, scale_of(circuit))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("method", ["linear", "brute-force"])
def test_blocks_of_any_size_give_the_same(method: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ql.construct(p=23, frequencies=(3, 5, 7), neurons=80, noise=0.1, seed=1)
    whole = ql.certify(circuit, method=method, device=device)
    monkeypatch.setattr("quadlens.certificates.compute.device.BLOCK", 1)
    monkeypatch.setattr("quadlens.certificates.compute.device.LARGE", 1)
    assert namespace_of(device).block == 1
    assert_same(ql.certify(circuit, method=method, device=device), whole, scale_of(circuit))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("method", ["linear", "brute-force"])
def test_an_independent_check_accepts_the_certificate(method: str, device: str) -> None:
    circuit = CIRCUITS["even p"]
    certificate = ql.certify(circuit, method=method, device=device)
    assert certificate.certified
    assert check(certificate, circuit).accepted


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("method", ["linear", "brute-force"])
def test_the_same_device_gives_the_same_certificate(method: str, device: str) -> None:
    first, second = (ql.certify(CIRCUITS["clusters"], method=method, device=device) for _ in range(2))
    assert first.classes == second.classes


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = CIRCUITS["even p"]
    for method in ("linear", "brute-force"):
        with pytest.raises(OptionError, match=r"device cuda:99 needs a CUDA GPU, torch .* finds \d+ of them"):
            ql.certify(circuit, method=method, device="cuda:99")
        for name in ("mps", "meta", "gpu", "cpu:1", ""):
            with pytest.raises(OptionError, match="device must be cpu, cuda or cuda:N; got"):
                ql.certify(circuit, method=method, device=name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match="finds 0 of them here; use cpu, or leave the device out"):
        ql.certify(circuit, method="linear", device="cuda")


def test_a_circuit_that_would_be_refused_does_not_hide_a_wrong_device() -> None:
    circuit = ql.construct(p=11, frequencies=(2,), neurons=12, activation="square")
    with pytest.raises(OptionError, match="device must be"):
        ql.certify(circuit, method="linear", device="mps")


def test_emulated_products_are_refused_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_named("cuda").type == "cuda"
    monkeypatch.setenv(EMULATION, "1")
    with pytest.raises(OptionError, match=f"needs products in true float64, {EMULATION} is set; unset it"):
        device_named("cuda")
    assert device_named("cpu").type == "cpu"


def test_a_device_without_enough_memory_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")

    monkeypatch.setattr("quadlens.certificates.compute.namespace.Namespace.array", full)
    with pytest.raises(OptionError, match="device cpu has not enough memory for this circuit; leave the device out"):
        ql.certify(CIRCUITS["even p"], method="linear", device="cpu")


def test_an_enclosure_that_only_numpy_has_is_refused() -> None:
    circuit = random_circuit(5, 4, 0, activation="gelu")
    with pytest.raises(OptionError, match="the enclosure of gelu is evaluated by numpy: leave the device out"):
        ql.certify(circuit, method="brute-force", device="cpu")


def test_other_methods_have_no_device() -> None:
    with pytest.raises(OptionError, match="method exact has no option 'device'"):
        ql.certify(CIRCUITS["even p"], method="exact", device="cpu")


def test_the_command_takes_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["certify", *arguments])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), " ".join(captured.out.split()), captured.err

    status, out, _ = run("--method", "linear", "--device", "cpu")
    assert (status, "evaluated by torch on cpu" in out) == (0, True)
    for arguments, words in (
        (("--method", "linear", "--device", "cuda:99"), "device cuda:99 needs a CUDA GPU"),
        (("--device", "cpu"), "--device is for linear, brute-force, got no method; add --method"),
        (("--device", "cpu", "--method", "exact"), "--device is for linear, brute-force, got exact"),
    ):
        status, out, error = run(*arguments)
        assert (status, out, error.count("\n")) == (2, "", 1)
        assert words in error


def test_without_a_device_torch_is_not_imported() -> None:
    script = "import sys, quadlens as ql; c = ql.construct(p=7, frequencies=(1, 2), neurons=16)\n"
    script += "for m in ('linear', 'brute-force'): ql.certify(c, method=m)\n"
    script += "print('torch' in sys.modules)\n"
    script += "ql.certify(c, method='linear', device='cpu'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


class TwoPlaces(TorchFunctionMode):
    """Tells tensors put on a device from those left behind, on a machine where both are in the same memory.

    On the device are what ``Namespace.array`` returns, what is made with ``device=…``, and what is computed from such;
    an operation on one of these and one of the others is refused, as it would be for "cuda" and "cpu", and so is
    numpy's look at one of them before ``cpu()``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.there = WeakIdKeyDictionary()
        self.operations = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        there = [given in self.there for given in tree_leaves((args, kwargs)) if isinstance(given, torch.Tensor)]
        if any(there) and not all(there):
            raise RuntimeError(f"{func} mixes devices")
        self.operations += 1
        if func is torch.Tensor.cpu:
            return args[0].clone()
        if any(there) and func in (torch.Tensor.numpy, torch.Tensor.__array__):
            raise RuntimeError(f"{func} cannot see a device's memory")
        found = func(*args, **kwargs)
        if any(there) or (not there and kwargs.get("device") is not None):
            for tensor in tree_leaves(found):
                self.put(tensor)
        return found

    def put(self, tensor: Any) -> Any:
        if isinstance(tensor, torch.Tensor):
            self.there[tensor] = True
        return tensor


@pytest.fixture
def two_places(monkeypatch: pytest.MonkeyPatch) -> TwoPlaces:
    places, placed = TwoPlaces(), namespace.Namespace.array
    monkeypatch.setattr(namespace.Namespace, "array", lambda self, values: places.put(placed(self, values)))
    return places


@pytest.mark.parametrize("method", ["linear", "brute-force"])
@pytest.mark.parametrize("name", ["clusters", "even p", "skip path"])
def test_nothing_is_left_behind_on_the_cpu(name: str, method: str, two_places: TwoPlaces) -> None:
    with two_places:
        ql.certify(CIRCUITS[name], method=method, device="cpu")
    assert two_places.operations > 10


@pytest.mark.parametrize("activation", ["abs", "square"])
def test_no_activation_is_left_behind_on_the_cpu(activation: str, two_places: TwoPlaces) -> None:
    circuit = replace(random_circuit(5, 7, 0, activation), radius=dict.fromkeys(("A", "U", "S_a"), 1e-9))
    with two_places:
        ql.certify(circuit, method="brute-force", device="cpu")
    assert two_places.operations > 10


def test_a_tensor_left_behind_would_be_seen(two_places: TwoPlaces) -> None:
    there, here = namespace_of("cpu").array(np.ones(3)), torch.ones(3)
    with two_places, pytest.raises(RuntimeError, match="mixes devices"):
        there + torch.arange(3, device="cpu") + here
    with two_places:
        assert there.cpu().numpy().tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(RuntimeError, match="cannot see a device's memory"):
            there.numpy()
