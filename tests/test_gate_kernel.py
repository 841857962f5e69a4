"""The compiled prefix sums are those of numpy, to rounding, and count the same operations."""

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates import compiled, gate_kernel, gate_sums
from quadlens.certificates.choose import Budget, choose
from quadlens.certificates.operations import OperationCounter


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
