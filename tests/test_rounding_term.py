"""The rounding term of (L) and (G): every intermediate sum against the checker's ball of it, piece by piece."""

import numpy as np
import pytest
from quadlens.certificates.choose import Budget
from quadlens.certificates.operations import OperationCounter

import quadlens as ql
from benchmarks.error_pieces import Quantity, survey
from benchmarks.soundness import cancelling_circuit, random_circuit, trained_circuit
from quadlens.certificates import rounding_term
from quadlens.certificates.check_gates import GateSums
from quadlens.certificates.check_inequality import Remainder
from quadlens.certificates.check_plan import read_plan
from quadlens.certificates.check_tables import ball_network
from quadlens.certificates.inequality import evaluate_inequality

BUDGET = Budget(retained=2, buckets=2, levels=2, solo=1, harmonics=3, clusters=2)


def quantities(pieces):
    """Return what evaluates a circuit; ``pieces`` are those that its rounding term had, by name."""

    def evaluate(circuit):
        found = evaluate_inequality(circuit, BUDGET, OperationCounter())
        record = found.record()
        gates = GateSums(network=ball_network(circuit), plan=read_plan(record, circuit.p, circuit.neurons))
        remainder, inputs = Remainder(gates), found.inputs
        kept = len(gates.plan.retained)

        def allowed(name):
            return {key: float(pieces[key]) for key in (name, "underflow")}

        for d in range(circuit.p):
            sums, b = gates.of_class(d), np.arange(circuit.p)
            X = inputs.X[d]
            parts = np.concatenate([X.real, X.imag], axis=1).ravel().tolist()
            exact = [ball for re, im in zip(sums.re, sums.im, strict=True) for ball in (*re, *im)]
            assert len(parts) == len(exact) == 2 * kept * circuit.p
            yield Quantity(name="X", computed=parts, exact=exact, pieces=allowed("C"))
            R = [ball for row in sums.R for ball in row]
            if R:
                yield Quantity(name="R", computed=inputs.R[:, d].T.ravel().tolist(), exact=R, pieces=allowed("R"))
            D = found.rest.D(d).tolist()
            yield Quantity(name="D", computed=D, exact=remainder.D[d], pieces=allowed("D"))
            tail = float(found.rest.tail[:, d].sum())
            yield Quantity(name="tail", computed=[tail], exact=[remainder.tail[d]], pieces=allowed("tail"))
            rest = (inputs.res[d] + inputs.skip[d]).tolist()
            each = [remainder.per_input(int((d + x) % circuit.p), int(x)) for x in b]
            yield Quantity(name="rest", computed=rest, exact=each, pieces=allowed("rest"))

    return evaluate


@pytest.fixture
def pieces(monkeypatch):
    """The pieces of the last rounding term that was made."""
    held, whole = {}, rounding_term.sum_up

    def kept(given, operations):
        held.clear()
        held.update(given)
        return whole(given, operations)

    monkeypatch.setattr(rounding_term, "sum_up", kept)
    return held


def circuits():
    generator = np.random.default_rng(3)
    for number in range(24):
        made = (trained_circuit, random_circuit, cancelling_circuit)[number % 3](generator)
        # as they stand: products of stored weights are the tables' radius, which is not rounding of the evaluation
        tables = {name: getattr(made, name) for name in ("A", "B", "U", "S_a", "S_b")}
        yield ql.Circuit(p=made.p, activation=("relu", "abs")[number % 2], **tables)


def tiny():
    """Products that vanish: gradual underflow is all the error there is."""
    generator = np.random.default_rng(4)
    for _ in range(4):
        made = trained_circuit(generator)
        tables = {name: getattr(made, name) * 2.0**-538 for name in ("A", "B", "U")}
        yield ql.Circuit(p=made.p, **tables)


def test_every_sum_is_within_its_piece_and_every_piece_bounds_something(pieces):
    found = survey(quantities(pieces), circuits())
    assert found.faults == []
    shares = found.share
    assert set(shares) == {"X", "R", "D", "tail", "rest"}
    assert all(share > 0 for share in shares.values())
    # with underflow alone, which is all that is left without the piece, none of the sums is held
    assert {name for name, count in found.needed.items() if count} >= {"C", "R", "D", "tail", "rest"}


def test_what_underflow_takes_is_held_by_its_piece(pieces):
    found = survey(quantities(pieces), tiny())
    assert found.faults == []
    assert found.needed["underflow"] > 0
