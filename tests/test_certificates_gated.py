"""The method ``gated``: per-input bounds between the class bound and the truth."""

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.choose import Budget
from quadlens.certificates.gated import certify_gated
from quadlens.certificates.inequality import evaluate_inequality
from quadlens.certificates.input_bounds import InputBounds
from quadlens.certificates.linear import certify_linear
from quadlens.certificates.operations import OperationCounter
from quadlens.circuits.forward import logits


def triple_margins(circuit):
    """Every margin(d + b, b, δ), axes d, b, δ − 1, in float64."""
    p = circuit.p
    block = logits(circuit, slice(None))
    residue = np.arange(p)
    a = (residue[:, None] + residue) % p
    Y = (a + residue) % p
    right = block[a, residue, Y]
    return np.stack([right - block[a, residue, (Y + delta) % p] for delta in range(1, p)], axis=2)


CIRCUITS = [
    ql.construct(p=23, frequencies=(3, 5, 7), neurons=96, noise=0.03),
    ql.construct(p=14, frequencies=(1, 3, 5), neurons=60, noise=0.1),
    ql.construct(p=3, frequencies=(1,), neurons=6),
]


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_every_bound_of_every_stage_holds(circuit):
    p = circuit.p
    found = evaluate_inequality(circuit, Budget(), OperationCounter())
    bounds = InputBounds(found)
    true = triple_margins(circuit)
    of_class = found.lowered(found.classes.bound)
    delta = np.arange(1, p)
    count = OperationCounter()
    for d in range(p):
        every = bounds.of_class(d, delta, count)
        b, column = np.unravel_index(np.arange(p * (p - 1)), (p, p - 1))
        refined = bounds.of_triples(d, b, delta[column], count).reshape(p, p - 1)
        assert (every <= true[d]).all()
        assert (refined <= true[d]).all()
        # a class is bounded by its inputs' bounds, to the rounding of both
        assert (of_class[d] <= every + 2 * found.rounding.evaluation).all()
        assert (every <= refined + 2 * found.rounding.evaluation).all()


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_gated_is_between_linear_and_the_truth(circuit):
    linear, gated = certify_linear(circuit), certify_gated(circuit)
    true = triple_margins(circuit).min(axis=(1, 2))
    for lower, bound, margin in zip(linear.classes, gated.classes, true, strict=True):
        assert lower.margin_lower_bound <= bound.margin_lower_bound <= margin
        assert lower.certified <= bound.certified
    assert gated.operations > linear.operations


def test_ledger_adds_up_to_the_bound():
    for bound in certify_gated(CIRCUITS[0]).classes:
        values = [value for _, value in bound.ledger]
        # ten numbers of this size are added
        assert abs(sum(values) - bound.margin_lower_bound) <= 1e-13 * (1 + max(map(abs, values)))


def test_other_activations_are_refused():
    certificate = certify_gated(ql.construct(p=7, frequencies=(2,), neurons=8, activation="gelu"))
    assert certificate.refusal is not None
    assert "relu" in certificate.refusal


def test_progress_rises_to_one():
    seen = []
    certify_gated(CIRCUITS[0], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
