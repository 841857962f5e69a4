"""The end of a chain of steps: what was derived is compared with the stored statement, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Eq, Expr, Le, S, sympify

from quadlens.identities.catalogue import FAMILIES
from quadlens.identities.conditions import (
    ASSUMED,
    Conditions,
    as_conditions,
    as_relation,
    put_into,
    symbols_of,
)
from quadlens.identities.cones import nonnegative_on_cone
from quadlens.identities.deduction import follows, is_positive, left_over
from quadlens.identities.definedness import defined
from quadlens.identities.derivation import Derivation, Fact, Result, Verdict
from quadlens.identities.exponentials import same
from quadlens.identities.grammar import bound_in, kind_of, read, real_valued
from quadlens.identities.ledger import Ledger, rule
from quadlens.identities.statement import Statement

Sides = tuple[Expr, Expr]


def lemma(ledger: Ledger, name: str) -> None:
    """Use a statement that an earlier family proves; its derivation runs, unless it already has in this process."""
    family = name.partition(".")[0]
    if family not in FAMILIES or ledger.family in FAMILIES[: FAMILIES.index(family) + 1]:
        raise ledger.fail(name, "a lemma comes from an earlier family")
    from quadlens.identities.scripts import proved

    result = next((result for result in proved(family).results if result.statement.name == name), None)
    if result is None or result.verdict != "proved":
        raise ledger.fail(name, "the lemma is not proved")
    statement = result.statement
    fact = Fact(
        relation=statement.relation,
        left=statement.expanded(statement.left),
        right=statement.expanded(statement.right),
        assumes=as_conditions(statement.expanded(condition) for condition in statement.conditions),
        rests_on=result.rests_on,
    )
    ledger.add(fact)
    formula = (Eq if fact.relation == "=" else Le)(fact.left, fact.right, evaluate=False)
    ledger.step(f"Lemma {name}", formula, f"proved in {statement.derivation}")


@rule
def conclude(
    ledger: Ledger,
    name: str,
    left: Any,
    right: Any,
    *,
    relation: str = "=",
    conditions: Sequence[Any] = (),
    where: Mapping[Any, Any] | None = None,
) -> None:
    """End a chain of steps: what was derived must be the stored statement of that name, side by side.

    The sides and the conditions given here come from the derivation, and so do the abbreviations in ``where``; if
    it is not given, those of the stored statement are written out before the sides are compared. Every condition that
    the steps left open, and every one that the sides need to be defined, must follow from the conditions.
    """
    if name not in ledger.stored:
        raise ledger.fail(name, "there is no stored statement of that name")
    statement = ledger.stored[name]
    if name in ledger.results:
        raise ledger.fail(name, "concluded twice")
    if relation != statement.relation:
        raise ledger.fail(name, f"derived '{relation}', stored '{statement.relation}'")
    sides = (sympify(left), sympify(right))
    _compare(ledger, statement, sides, where)
    given = as_conditions(statement.expanded(condition) for condition in conditions)
    if as_conditions(conditions) != as_conditions(statement.conditions):
        raise ledger.fail(name, f"derived under {list(conditions)}, stored under {list(statement.conditions)}")
    _check_stored(ledger, statement, given)
    shown = _shown(ledger, statement, sides, given)
    numeric = [text for text, *pair in ledger.numeric_pairs if tuple(pair) == sides]
    if shown is None and not (relation == "=" and numeric):
        raise ledger.fail(name, f"no step shows that {left} {relation} {right}")
    verdict: Verdict = "proved" if shown is not None else "checked numerically"
    if statement.numeric != (shown is None):
        raise ledger.fail(
            name, f"stored as {'numeric' if statement.numeric else 'proved'}, the derivation is {verdict}"
        )
    rests_on = tuple(ledger.chain_rests_on)
    if shown is not None:
        ledger.add(Fact(relation=statement.relation, left=shown[0], right=shown[1], assumes=given, rests_on=rests_on))
    formula = (Eq if relation == "=" else Le)(*sides, evaluate=False)
    ledger.step(f"Hence {name}", formula, "agrees with the stored statement on both sides")
    ledger.results[name] = Result(
        statement=statement,
        steps=tuple(ledger.steps),
        verdict=verdict,
        detail="" if shown is not None else "; ".join(numeric),
        rests_on=rests_on,
    )
    ledger.steps, ledger.numeric_pairs, ledger.chain_rests_on = [], [], {}


def _compare(ledger: Ledger, statement: Statement, sides: Sides, where: Mapping[Any, Any] | None) -> None:
    for side, derived, stored in zip(("left", "right"), sides, (statement.left, statement.right), strict=True):
        if not same(derived, stored if where is not None else statement.expanded(stored)):
            raise ledger.fail(statement.name, f"the {side} side stored, {stored}, is not the one derived, {derived}")
    if where is None:
        return
    if set(where) != {symbol for symbol, _ in statement.where}:
        raise ledger.fail(
            statement.name, f"derived with {list(where)}, stored with {[symbol for symbol, _ in statement.where]}"
        )
    for symbol, stored in statement.where:
        if not same(sympify(where[symbol]), stored):
            raise ledger.fail(
                statement.name, f"the abbreviation {symbol} stored, {stored}, is not the one derived, {where[symbol]}"
            )


def _check_stored(ledger: Ledger, statement: Statement, given: Conditions) -> None:
    """Refuse a statement that is not read, not defined everywhere in its domain, or abbreviates what does not fit."""
    expanded = [statement.expanded(side) for side in (statement.left, statement.right)]
    if statement.left == statement.right:
        # SymPy simplifies as it builds, and a pole can go with it: cos(pi m/2)/(1 - m^2) is 0 at once for an odd m.
        raise ledger.fail(statement.name, "both sides are the same as they are stored: it says nothing")
    read(statement.left, statement.right, *(definition for _, definition in statement.where))
    read(*expanded, *(condition for condition in given if isinstance(condition, Expr)))
    if nonnegative_on_cone(S.NegativeOne, [one for one in given if isinstance(one, Expr)]):
        raise ledger.fail(statement.name, "its conditions cannot all hold: it says nothing")
    caught = bound_in(statement.left, statement.right) & set().union(
        *(definition.free_symbols for _, definition in statement.where), symbols_of(given)
    )
    if caught:
        raise ledger.fail(statement.name, f"{caught} is a variable of integration or summation, and stands elsewhere")
    for symbol, definition in statement.where:
        value = statement.expanded(definition)
        kind = kind_of(symbol)
        lost = [name for name in ASSUMED if kind.get(name) and not satisfies(value, name, given)]
        if lost or not real_valued(value):
            raise ledger.fail(statement.name, f"{symbol} is {(lost or ['real'])[0]}, and {value} is not known to be")
        expanded.append(value)
    for side in expanded:
        for need in defined(side, given):
            raise ledger.fail(
                statement.name, f"no condition keeps {side} defined: {as_relation(need)} must follow from the domain"
            )


def satisfies(value: Any, name: str, given: Conditions) -> bool:
    """Return True when a value is known to be what its symbol is, from its own symbols and the conditions given."""
    value = sympify(value)
    if getattr(value, f"is_{name}") is True:
        return True
    if name == "nonnegative":
        return follows(value, given)
    return name in ("positive", "negative") and is_positive(value if name == "positive" else -value, given)


def _shown(ledger: Ledger, statement: Statement, sides: Sides, given: Conditions) -> Sides | None:
    """Return the sides that the steps show to compare: as they stand, or with the abbreviations written out."""
    written_out = (statement.expanded(sides[0]), statement.expanded(sides[1]))
    for pair in dict.fromkeys((sides, written_out)):
        ledger.premises.needs.clear()
        shown = _compared(ledger, statement, pair, given)
        if shown is None:
            continue
        needs = frozenset(_written_out(statement, need) for need in ledger.premises.needs)
        for need in left_over(needs, given):
            raise ledger.fail(
                statement.name, f"no condition keeps the steps defined: {as_relation(need)} must follow from the domain"
            )
        return shown
    return None


def _written_out(statement: Statement, condition: Any) -> Any:
    for symbol, definition in reversed(statement.where):
        condition = put_into(condition, {symbol: definition})
    return condition


def _compared(ledger: Ledger, statement: Statement, sides: Sides, given: Conditions) -> Sides | None:
    if statement.relation == "<=":
        return sides if ledger.follows(*sides, given) else None
    found, wanted = (ledger.known(side, given) for side in sides)
    if same(found, wanted):
        return sides
    if same(statement.expanded(found), statement.expanded(wanted)):
        return statement.expanded(sides[0]), statement.expanded(sides[1])
    return None


def finish(ledger: Ledger) -> Derivation:
    """Return the derivation; every stored statement of the family must have been concluded."""
    missing = [name for name in ledger.stored if name not in ledger.results]
    if missing:
        raise ledger.fail("end", f"not derived: {', '.join(missing)}")
    return Derivation(
        name=ledger.family, title=ledger.title, results=tuple(ledger.results[name] for name in ledger.stored)
    )
