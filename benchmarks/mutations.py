"""``python -m benchmarks.mutations [FAMILY …]``: wrong theorems, in script and store alike, against the proof kernel.

Every conclusion of every derivation is tried again with the stored statement and the script's last line changed in the
same way: a condition dropped, a term dropped, a constant changed, a sine for a cosine, the sides of an inequality
exchanged, the right side off by a factor. The steps are those of the true statement. Each change must be refused, or
be still true: then the witnesses agree with it at every point that they draw.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sympy import Add, Expr, Integral, Mul, Rational, S, Sum, cos, preorder_traversal, sin, sympify

from quadlens.errors import DerivationError, PrecisionError
from quadlens.identities.catalogue import FAMILIES
from quadlens.identities.proof import Proof
from quadlens.identities.scripts import load_script
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses import float64
from quadlens.identities.witnesses.sampling import points

CONSTANTS = 5
TERMS = 4
POINTS = 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one changed statement: refused, or accepted and then refuted or not by the witnesses."""

    name: str
    change: str
    accepted: bool
    refuted: bool = False


def mutants(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Yield changed statements, each with what was changed; what is no statement is left out."""
    for change, fields in _changes(statement):
        with suppress(DerivationError):
            yield change, replace(statement, **fields)


def _changes(statement: Statement) -> Iterator[tuple[str, dict[str, Any]]]:
    for condition in statement.conditions:
        kept = tuple(one for one in statement.conditions if one is not condition)
        yield f"without {condition}", {"conditions": kept}
    for side in ("left", "right"):
        for change, value in _changed(getattr(statement, side)):
            yield f"{side}: {change}", {side: value}
    if statement.relation == "<=":
        yield "sides exchanged", {"left": statement.right, "right": statement.left}
        yield "half the bound", {"right": statement.right / 2}
        yield "an equality", {"relation": "="}
    else:
        yield "the other sign", {"right": -statement.right if statement.right != 0 else S.One}
        yield "a thousandth more", {"right": statement.right + Rational(1, 1000)}
    for number, (symbol, definition) in enumerate(statement.where):
        for change, value in list(_changed(definition))[:2]:
            where = (*statement.where[:number], (symbol, value), *statement.where[number + 1 :])
            yield f"{symbol}: {change}", {"where": where}


def _changed(side: Expr) -> Iterator[tuple[str, Expr]]:
    constants: dict[Any, None] = {}
    for part in preorder_traversal(side):
        if part.is_Rational and part not in (0, -1, S.Half):
            constants[part] = None
    for constant in list(constants)[:CONSTANTS]:
        yield f"{constant + 1} for {constant}", _everywhere(side, constant, constant + 1)
    sums = [part for part in preorder_traversal(side) if isinstance(part, Add)]
    for part in sums[:TERMS]:
        for term in part.args[:2]:
            yield f"without {term}", _everywhere(side, part, part - term)
    for one, other in ((cos, sin), (sin, cos)):
        if side.has(one):
            yield f"{other} for {one}", side.replace(one, other)
    for part in list(side.atoms(Integral, Sum))[:1]:
        yield "another integrand", _everywhere(side, part, part.func(2 * part.function, *part.limits))
    if isinstance(side, Mul):
        yield "a factor left out", Mul(*side.args[1:])


def _everywhere(side: Expr, old: Expr, new: Expr) -> Expr:
    try:
        return sympify(side.xreplace({old: new}))
    except (ValueError, TypeError):
        return side


@contextmanager
def watched(found: list[Outcome]) -> Iterator[None]:
    """Let every `Proof.conclude` be tried with all mutants of its statement first."""
    real = Proof.conclude

    def conclude(proof: Proof, name: str, left: Any, right: Any, **options: Any) -> None:
        true = proof._ledger.stored[name]
        # A family that is also a lemma runs twice.
        for change, wrong in () if any(one.name == name for one in found) else _valid_mutants(true):
            found.append(Outcome(name=name, change=change, **_try(proof, real, wrong, options)))
        proof._ledger.stored[name] = true
        real(proof, name, left, right, **options)

    Proof.conclude = conclude
    try:
        yield
    finally:
        Proof.conclude = real


def _valid_mutants(true: Statement) -> list[tuple[str, Statement]]:
    def compared(one: Statement) -> tuple[Any, ...]:
        return one.left, one.right, one.conditions, one.where, one.relation

    return [(change, wrong) for change, wrong in mutants(true) if compared(wrong) != compared(true)]


def _try(proof: Proof, conclude: Any, wrong: Statement, options: dict[str, Any]) -> dict[str, bool]:
    ledger = proof._ledger
    books = (ledger.steps, ledger.numeric_pairs, dict(ledger.chain_rests_on), list(ledger.facts))
    equal = {key: list(facts) for key, facts in ledger._equal.items()}
    ledger.stored[wrong.name] = wrong
    where = dict(wrong.where) if options.get("where") is not None else None
    try:
        left, right = wrong.left, wrong.right
        conclude(
            proof, wrong.name, left, right, relation=wrong.relation, conditions=wrong.conditions, where=where
        )
    except DerivationError:
        return {"accepted": False}
    finally:
        ledger.results.pop(wrong.name, None)
        ledger.steps, ledger.numeric_pairs, ledger.chain_rests_on, ledger.facts = books
        ledger._equal = equal
    return {"accepted": True, "refuted": is_refuted(wrong)}


def is_refuted(statement: Statement) -> bool:
    """Return True when a witness finds a point of the domain at which the statement does not hold."""
    generator = np.random.default_rng(0)
    for values in points(statement, generator, POINTS):
        try:
            float64.witness(statement, values)
        except DerivationError:
            return True
        except (ArithmeticError, ValueError, PrecisionError):
            return True
    return False


def run(families: tuple[str, ...]) -> list[Outcome]:
    """Return the outcome of every mutant of every statement of the families."""
    found: list[Outcome] = []
    with watched(found):
        for family in families:
            load_script(family).derive()
    return found


def main() -> None:
    """Print the counts, and every change that was accepted."""
    found = run(tuple(sys.argv[1:]) or FAMILIES)
    accepted = [one for one in found if one.accepted]
    counts = {
        "statements": len({one.name for one in found}),
        "mutants": len(found),
        "refused": len(found) - len(accepted),
        "accepted and true at every point": sum(not one.refuted for one in accepted),
        "accepted and refuted": sum(one.refuted for one in accepted),
    }
    print(json.dumps({"counts": counts, "accepted": [asdict(one) for one in accepted]}, indent=2))


if __name__ == "__main__":
    main()
