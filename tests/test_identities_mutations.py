"""Statements changed in script and store alike are refused or true; every statement at 20 points of its domain."""

from dataclasses import replace

import numpy as np
import pytest
from sympy import Integral

import quadlens as ql
from benchmarks.mutations import is_refuted, mutants, run
from quadlens.errors import DerivationError
from quadlens.identities import conclusion
from quadlens.identities.catalogue import statements_of
from quadlens.identities.functions import ReLU
from quadlens.identities.scripts import script_folder
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import phi
from quadlens.identities.witnesses import finite_sums, float64
from quadlens.identities.witnesses.sampling import points

FAST = ("product_to_sum", "pizza_integral", "gate_lemma")
STATEMENTS = ql.identities()


def test_no_change_of_a_statement_is_proved_unless_it_is_true() -> None:
    found = run(FAST)
    assert len(found) >= 150
    assert {one.name for one in found} == {one.name for family in FAST for one in statements_of(family)}
    assert [one for one in found if one.accepted and one.refuted] == []
    # What is accepted follows from a step that is shown: with g = 0 the gate lemma has no g y.
    assert [(one.name, one.change) for one in found if one.accepted] == [("gate_lemma.any_gate", "left: without -g*y")]


def test_a_kernel_that_forgets_its_steps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclusion, "_compared", lambda ledger, statement, sides, given: sides)
    found = run(("product_to_sum",))
    assert sum(one.refuted for one in found) > 20


@pytest.mark.parametrize("kept", [(), (0,), (1,)], ids=["neither", "m >= 1", "m <= n - 1"])
def test_a_condition_deleted_in_script_and_store_is_missed(kept: tuple[int, ...]) -> None:
    family, name = "equally_spaced_phases", "equally_spaced_phases.exact"
    source = (script_folder() / f"{family}.py").read_text()
    conditions = "(Ge(m, 1), Le(m, n - 1))"
    assert source.count(conditions) == 1
    remaining = ["Ge(m, 1)", "Le(m, n - 1)"]
    namespace: dict[str, object] = {"__name__": "edited"}
    exec(source.replace(conditions, f"({''.join(f'{remaining[one]}, ' for one in kept)})"), namespace)
    stored = [
        replace(one, conditions=tuple(one.conditions[number] for number in kept)) if one.name == name else one
        for one in statements_of(family)
    ]
    with pytest.raises(DerivationError, match=r"Ne\(sin\(pi\*m/n\), 0\) must follow from the domain"):
        namespace["derive"](stored)  # type: ignore[operator]


def test_there_are_enough_changes() -> None:
    # all of them run with `python -m benchmarks.mutations`; the counts are in docs/trust.md
    assert sum(1 for statement in STATEMENTS for _ in mutants(statement)) >= 300


@pytest.mark.parametrize("statement", STATEMENTS, ids=[statement.name for statement in STATEMENTS])
def test_a_statement_holds_at_its_edges_and_far_beyond_its_sample(statement: Statement) -> None:
    iterated = any(len(part.limits) > 1 for part in statement.left.atoms(Integral))
    drawn = points(statement, np.random.default_rng(1), 20)
    assert len(drawn) == 20
    for values in drawn:
        if iterated:
            assert len(finite_sums.witness(statement, values)) == 2
        else:
            assert float64.witness(statement, values) <= 1e-5


def test_far_points_find_what_the_sample_hides() -> None:
    (statement,) = (one for one in STATEMENTS if one.name == "rectangle_bound.inside")
    assert not is_refuted(statement)
    # right inside of the sample, phi <= 4, and wrong beyond
    assert is_refuted(replace(statement, right=statement.right + ReLU(phi - 4)))
    # the gate g is 0 or 1 in the sample, and any natural number without its condition
    (gate,) = (one for one in STATEMENTS if one.name == "gate_lemma.any_gate")
    assert not is_refuted(gate)
    assert is_refuted(replace(gate, conditions=gate.conditions[:1]))
