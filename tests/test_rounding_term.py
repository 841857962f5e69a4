"""The rounding term of (L) and (G′): every intermediate sum against the checker's ball of it, piece by piece."""

import flint
import numpy as np
import pytest

import quadlens as ql
from benchmarks.error_pieces import Quantity, survey
from benchmarks.soundness import cancelling_circuit, random_circuit, trained_circuit
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.inequality import rounding
from quadlens.certificates.inequality.evaluate import evaluate
from quadlens.certificates.plan.choose import Budget
from quadlens.checker.gates import Gates
from quadlens.checker.inequality import Inequality
from quadlens.checker.outputs import Outputs
from quadlens.checker.plan import read_plan
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import ball_network

BUDGETS = [
    Budget(retained=2, retained_by_group=2, harmonics=3, head=1, cells=20, candidates=candidates)
    for candidates in (0, 32)
]


def quantities(pieces):
    """Return what evaluates a circuit; ``pieces`` are those that its rounding term had, by name."""

    def every(circuit):
        for budget in BUDGETS:
            yield from of_budget(circuit, budget)

    def of_budget(circuit, budget):
        found = evaluate(circuit, rounding.sizes(circuit), budget, numpy_namespace(), lambda done: None)
        p, inputs = circuit.p, found.pairs.inputs
        record = {**found.plan.to_dict(), "pairs": [[] for _ in range(p)]}
        plan = read_plan(record, p, circuit.neurons)
        exact = Inequality(gates=Gates(outputs=Outputs(tables=StoredTables(network=ball_network(circuit)), plan=plan)))
        roots, F = exact.gates.outputs.roots, len(plan.retained)

        def quantity(name, computed, balls, piece):
            allowed = {key: float(pieces[key]) for key in (piece, "underflow")}
            return Quantity(name=name, computed=np.ravel(computed).tolist(), exact=balls, pieces=allowed)

        for d in range(p):
            sums, delta = exact.gates.of_class(d), np.arange(1, p)
            X = []
            for b, row in enumerate(sums.C.tolist()):
                turns = [z * (d + 2 * b) % p for z in plan.retained]
                turned = [flint.acb(row[f], row[F + f]) * roots.at(t) for f, t in enumerate(turns)]
                X += [*(x.real for x in turned), *(x.imag for x in turned)]
            yield quantity("X", inputs.X[d], X, "retained")
            if found.plan.bounded.any():
                yield quantity("R", inputs.R[d], sums.R, "gates")
            yield quantity("D", found.classes.D[d], exact.remainder.D[d][1:], "head")
            head = exact.remainder.head(d).tolist()
            Y = [(d + 2 * b) % p for b in range(p)]
            evaluated = [head[b][Y[b]] - head[b][(Y[b] + x) % p] for x in delta.tolist() for b in range(p)]
            terms = found.pairs.of_pairs(np.full(p - 1, d), delta)
            yield quantity("head", terms.head, evaluated, "head")
            yield quantity("tail", found.classes.tail[d], [exact.remainder.tail(d)], "tail")
            rest = [sums.res[b] + exact.skip(d, b) for b in range(p)]
            # norms are evaluated from above on purpose: only what falls short of the exact number is an error
            short = np.minimum(inputs.res[d] + inputs.skip[d], [float(ball.upper()) for ball in rest])
            yield quantity("rest", short, rest, "residual")

    return every


@pytest.fixture
def pieces(monkeypatch):
    """The pieces of the last rounding term that was made."""
    held, whole = {}, rounding.sum_up

    def kept(given, operations):
        if "retained" in given:
            held.clear()
            held.update(given)
        return whole(given, operations)

    monkeypatch.setattr(rounding, "sum_up", kept)
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
    assert set(shares) == {"X", "R", "D", "head", "tail", "rest"}
    assert all(share > 0 for share in shares.values())
    # with underflow alone, which is all that is left without the piece, none of the sums is held
    assert {name for name, count in found.needed.items() if count} >= {"retained", "gates", "head", "tail", "residual"}


def test_what_underflow_takes_is_held_by_its_piece(pieces):
    found = survey(quantities(pieces), tiny())
    assert found.faults == []
    assert found.needed["underflow"] > 0
