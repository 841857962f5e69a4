"""What a statement assumes: inequalities, what is not 0, how smooth a function is, and what its symbols are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sympy import Expr, I, Ne, S, expand, sympify
from sympy.core.relational import GreaterThan, LessThan, StrictGreaterThan, StrictLessThan, Unequality

from quadlens.errors import DerivationError

ASSUMED = ("integer", "positive", "negative", "nonnegative")
"""What a symbol may be beside real, in the order in which a value is tried."""

Conditions = frozenset[Any]
"""An expression counts as ``expression >= 0``; beside these stand ``> 0``, ``!= 0`` and `Smooth`."""


@dataclass(frozen=True, slots=True)
class Smooth:
    """``function`` maps real numbers to real numbers and has ``order`` continuous derivatives."""

    function: Any
    order: int

    @property
    def free_symbols(self) -> set[Any]:
        """No symbols: the hypothesis is about a function."""
        return set()

    def subs(self, *_: Any, **__: Any) -> "Smooth":
        """Return the hypothesis: there is nothing to put in."""
        return self

    def _latex(self, printer: Any) -> str:
        return rf"{self.function} \in C^{{{self.order}}}"

    def __str__(self) -> str:
        return f"{self.function} in C^{self.order}"


def as_conditions(relations: Iterable[Any]) -> Conditions:
    """Return a set of conditions in which every relation is a comparison with 0.

    Raises
    ------
    DerivationError
        If one is no inequality, no ``!=`` and no `Smooth`, or can never hold.
    """
    found = set()
    for relation in relations:
        if relation is True or relation == S.true:
            continue
        if isinstance(relation, Smooth):
            found.add(relation)
        elif isinstance(relation, GreaterThan | LessThan):
            found.add(expand(relation.gts - relation.lts))
        elif isinstance(relation, StrictGreaterThan | StrictLessThan):
            found.add(StrictGreaterThan(expand(relation.gts - relation.lts), 0, evaluate=False))
        elif isinstance(relation, Unequality):
            found.add(nonzero_condition(relation.lhs - relation.rhs))
        elif isinstance(relation, Expr):
            found.add(expand(relation))
        else:
            raise DerivationError(
                f"a condition is an inequality, a != or a class of functions that can hold, got {relation}"
            )
    return frozenset(found)


def nonzero_condition(expression: Expr) -> Any:
    """Return ``expression != 0``, the same for an expression and its product with -1, i and -i, not evaluated."""
    expression = expand(expression)
    turned = expand(expression / I)
    if not turned.has(I):
        expression = turned
    if expression.could_extract_minus_sign():
        expression = expand(-expression)
    return Ne(expression, 0, evaluate=False)


def put_into(condition: Any, values: Any) -> Any:
    """Return a condition with values put in for symbols (`as_conditions` makes the form)."""
    if isinstance(condition, Smooth):
        return condition
    if isinstance(condition, Expr):
        return expand(condition.subs(values, simultaneous=True))
    inside = expand(sympify(condition.lhs).subs(values, simultaneous=True))
    if isinstance(condition, Unequality):
        return nonzero_condition(inside)
    return StrictGreaterThan(inside, 0, evaluate=False)


def symbols_of(conditions: Iterable[Any]) -> set[Any]:
    """Return the symbols that conditions speak of."""
    return set().union(*(condition.free_symbols for condition in conditions))


def as_relation(condition: Any) -> Any:
    """Return a condition as it is shown."""
    return condition >= 0 if isinstance(condition, Expr) else condition


