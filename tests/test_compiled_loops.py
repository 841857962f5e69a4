"""Compiled loops give what numpy does, to rounding, stage by stage: sums, quantities, bounds and verdicts."""

from dataclasses import fields, is_dataclass
from importlib import import_module

import numpy as np
import pytest
from quadlens.certificates.choose import Budget, choose
from quadlens.certificates.compiled import kernel
from quadlens.certificates.operations import OperationCounter

import quadlens as ql
from quadlens.certificates import compiled, gate_kernel, gate_sums
from quadlens.certificates.inequality import Inequality, evaluate_inequality


def unlike_anything(p: int, n: int, seed: int) -> ql.Circuit:
    """Random tables with a dead neuron, a repeated one and a constant one."""
    g = np.random.default_rng(seed)
    A, B = g.standard_normal((2, p, n))
    A[:, 0] = B[:, 0] = 0
    A[:, 1], B[:, 1] = A[:, 2], B[:, 2]
    A[:, 3] = B[:, 3] = 1
    return ql.Circuit(p=p, A=A, B=B, U=g.standard_normal((n, p)), S_a=g.standard_normal((p, p)))


CIRCUITS = {
    "constructed": ql.construct(p=31, frequencies=(3, 7), neurons=60, noise=0.03),
    "even p": ql.construct(p=12, frequencies=(1, 3, 5), neurons=40, noise=0.05),
    "frequencies with p in common": ql.construct(p=15, frequencies=(3, 5, 7), neurons=60, noise=0.05),
    "modulus": ql.construct(p=17, frequencies=(3, 5), neurons=60, noise=0.05, activation="abs"),
    "negative bias": ql.construct(p=13, frequencies=(2,), neurons=20, kappa=-0.9, noise=0.01),
    "random": unlike_anything(11, 24, 0),
    "p = 3": unlike_anything(3, 5, 1),
}


def both_sums(circuit: ql.Circuit, monkeypatch: pytest.MonkeyPatch) -> list:
    """Return C and R by numpy and by the compiled loops, and the counted operations."""
    choice = choose(circuit, Budget(), OperationCounter())
    found = []
    for use in (False, True):
        monkeypatch.setattr(gate_sums, "compiled_is_worth_it", lambda entries, use=use: use)
        count = OperationCounter()
        sums = gate_sums.gate_sums(circuit, choice.plan, choice.retained, choice.cross, count)
        found.append((sums.C, sums.R, sums.crossings, count.total))
    return found


def assert_same(plain: tuple, other: tuple) -> None:
    assert other[2:] == plain[2:]
    for got, want in zip(other[:2], plain[:2], strict=True):
        # two orders of the same sums of at most a hundred numbers
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * max(1.0, float(np.abs(plain[0]).max())))


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_compiled_loops_give_numpy_s_sums(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(*both_sums(CIRCUITS[name], monkeypatch))


def test_a_kernel_that_forgets_one_arc_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(sums: gate_sums.TableSums) -> gate_kernel.Ends:
        ends = arc_ends(sums)
        return ends._replace(first=np.concatenate([[ends.first[1]], ends.first[1:]]))

    arc_ends = gate_kernel.arc_ends
    monkeypatch.setattr(gate_kernel, "arc_ends", forgetful)
    plain, wrong = both_sums(CIRCUITS["constructed"], monkeypatch)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_same(plain, wrong)


def test_small_circuits_never_wait_for_a_compiler() -> None:
    assert not compiled.compiled_is_worth_it(compiled.WORTH_COMPILING - 1)


STAGES = ("gate_sums", "remainder", "input_quantities", "clusters")


def evaluated(circuit: ql.Circuit, monkeypatch: pytest.MonkeyPatch, compiled: bool) -> tuple[Inequality, int]:
    for stage in STAGES:
        module = import_module(f"quadlens.certificates.{stage}")
        monkeypatch.setattr(module, "compiled_is_worth_it", lambda entries: compiled)
    count = OperationCounter()
    return evaluate_inequality(circuit, Budget(), count), count.total


def assert_close(got: object, want: object, scale: float) -> None:
    for field in fields(want):
        x, y = getattr(got, field.name), getattr(want, field.name)
        if is_dataclass(y):
            assert_close(x, y, scale)
        elif isinstance(y, np.ndarray | float):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-11 * scale, err_msg=field.name)


@pytest.mark.parametrize("name", [*CIRCUITS, "trained"])
def test_loops_and_arrays_give_the_same_quantities(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ql.bundled("p59-seed0") if name == "trained" else CIRCUITS[name]
    plain, operations = evaluated(circuit, monkeypatch, False)
    compiled, again = evaluated(circuit, monkeypatch, True)
    assert operations == again
    np.testing.assert_array_equal(compiled.label, plain.label)
    scale = float(np.abs(plain.inputs.X).max())
    assert scale > 0.1
    for part in ("inputs", "rest"):
        assert_close(getattr(compiled, part), getattr(plain, part), scale)
    # where two δ are worst to rounding the ledgers may differ; bounds may not
    np.testing.assert_allclose(compiled.classes.bound, plain.classes.bound, rtol=0, atol=1e-11 * scale)
    assert ((compiled.lowered(compiled.classes.bound) > 0) == (plain.lowered(plain.classes.bound) > 0)).all()


def test_the_trained_network_has_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert evaluated(ql.bundled("p59-seed0"), monkeypatch, True)[0].label.max() > 8


def test_loops_are_left_as_they_are_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    def loops() -> None: ...

    monkeypatch.setattr("quadlens.certificates.compiled._numba", lambda: None)
    assert kernel()(loops) is loops
