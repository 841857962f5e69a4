"""Whose neurons a failed class is blamed on: shares add up to what the bound loses, and a planted group is named."""

from dataclasses import replace

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.inequality import ledger
from quadlens.certificates.inequality.branch_and_bound import Limits, branch_and_bound
from quadlens.certificates.inequality.evaluate import Inequality, evaluate
from quadlens.certificates.inequality.group_shares import Questions, group_shares
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.methods.linear import certify_linear
from quadlens.certificates.plan.choose import Budget


def noisy(seed: int, noise: float, *, p: int = 23, activation: str = "relu") -> ql.Circuit:
    """Return a network with noise in every entry and no skip path."""
    rng = np.random.default_rng(seed)
    circuit = ql.construct(p=p, frequencies=(3, 5, 7), neurons=96, seed=seed, activation=activation)
    tables = {name: getattr(circuit, name) for name in ("A", "B", "U")}
    return replace(circuit, **{name: T + noise * T.std() * rng.standard_normal(T.shape) for name, T in tables.items()})


def bounds(circuit: ql.Circuit, candidates: int) -> Inequality:
    budget = Budget(candidates=candidates)
    return evaluate(circuit, sizes(circuit), budget, numpy_namespace(), lambda done: None)


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("candidates", [32, 2, 0])
@pytest.mark.parametrize("noise", [0.03, 0.4])
def test_shares_add_up(activation: str, candidates: int, noise: float) -> None:
    circuit = noisy(1, noise, activation=activation)
    found, rng, p = bounds(circuit, candidates), np.random.default_rng(2), circuit.p
    asked = Questions(d=rng.integers(0, p, 60), b=rng.integers(0, p, 60), delta=rng.integers(1, p, 60))
    shares, inputs = group_shares(circuit, found, asked), found.pairs.inputs
    at = asked.d, asked.b
    terms = found.pairs.of_pairs(asked.d, asked.delta)
    assert np.allclose(shares.residual.sum(axis=0), inputs.res[at], rtol=1e-9, atol=1e-9)
    assert np.allclose(shares.gates.sum(axis=0), inputs.R[at], rtol=1e-9, atol=1e-9)
    assert np.allclose(shares.retained.sum(axis=0), terms.ideal[np.arange(60), asked.b], rtol=1e-9, atol=1e-9)
    assert (shares.gates.max() > 0) == bool(found.plan.bounded.any())


def test_shares_of_a_spread_add_up_to_what_the_ledger_says(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = noisy(3, 0.3)
    monkeypatch.setattr(ledger, "SPREAD_OVER", circuit.p)
    seen = {}
    whole = ledger._at_one_input

    def kept(*arguments: object) -> dict[str, np.ndarray]:
        seen["shares"] = whole(*arguments)
        return seen["shares"]

    monkeypatch.setattr(ledger, "_at_one_input", kept)
    found = bounds(circuit, 32)
    refined = branch_and_bound(found.classes.bound, found.least_of_pairs, found.zero, Limits(per_class=48, pairs=10**6))
    account = ledger.accounts(circuit, found, refined)
    assert account.failed.size
    for name, shares in seen["shares"].items():
        assert np.allclose(shares.sum(axis=0), -account.terms[name][account.failed], rtol=1e-9, atol=1e-9)


PLANTED = [
    # gates where all are bounded; what curves and retained outputs both leave out; retained sums, evaluated
    ("gates", {"A": 0.8}, Budget(candidates=0)),
    ("residual", {"A": 0.8, "U": 3.0}, Budget()),
    ("spread", {"A": 0.8}, Budget()),
]


@pytest.mark.parametrize(("term", "noise", "budget"), PLANTED)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_group_that_was_spoilt_is_named(term: str, noise: dict[str, float], budget: Budget, number: int) -> None:
    circuit, rng = noisy(4, 0.01), np.random.default_rng(5)
    group = ql.fit(circuit).groups[number]
    spoilt = {name: getattr(circuit, name).copy() for name in noise}
    for name, table in spoilt.items():
        mine = (slice(None), group.members) if name == "A" else group.members
        table[mine] += noise[name] * table.std() * rng.standard_normal(table[mine].shape)
    blame = certify_linear(replace(circuit, **spoilt), budget=budget).blame
    found = [text for text in blame if text.startswith(term)]
    assert found
    assert all(f"the neurons of frequency {group.frequency} have the largest share of it" in text for text in found)
