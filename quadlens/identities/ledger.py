"""The books of a derivation: the facts established so far, the steps that did it, and what a step has used.

A rule is a function of a `Ledger`: it checks its hypotheses, and `learn` records the fact with every condition that was
not discharged. Nothing here looks at the stored statements; `quadlens.identities.conclusion` compares with them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from operator import eq
from typing import Any, Concatenate, ParamSpec, TypeVar

from sympy import Eq, Expr, Le, PolynomialError, sympify

from quadlens.errors import DerivationError
from quadlens.identities.catalogue import statements_of
from quadlens.identities.conditions import Conditions, as_conditions, as_relation, symbols_of
from quadlens.identities.deduction import left_over
from quadlens.identities.definedness import defined
from quadlens.identities.derivation import Fact, Result, Step
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus
from quadlens.identities.grammar import bound_in, read, real_valued
from quadlens.identities.statement import Relation, Statement

P = ParamSpec("P")
R = TypeVar("R")
UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, IndexError, ZeroDivisionError)
"""What SymPy raises where an argument is no expression of the kind that a rule works on."""


@dataclass(slots=True)
class Premises:
    """What the step being made has used: conditions that its fact inherits, and what it rests on."""

    needs: set[Any] = field(default_factory=set)
    rests_on: dict[str, None] = field(default_factory=dict)


class Ledger:
    """The steps of one family, in the making.

    Parameters
    ----------
    family : str
        Name of the script.
    title : str
        What the family is about, for the reader.
    stored : iterable of Statement, optional
        The statements to compare with; by default those of the family.
    """

    def __init__(self, family: str, title: str, stored: Iterable[Statement] | None = None) -> None:
        self.family = family
        self.title = title
        self.stored = {
            statement.name: statement for statement in (statements_of(family) if stored is None else stored)
        }
        self.results: dict[str, Result] = {}
        self.steps: list[Step] = []
        self.facts: list[Fact] = []
        self.numeric_pairs: list[tuple[str, Expr, Expr]] = []
        self.chain_rests_on: dict[str, None] = {}
        self._equal: dict[Expr, list[Fact]] = {}
        self._frames: list[Premises] = [Premises()]

    @property
    def premises(self) -> Premises:
        """What the step being made has used so far."""
        return self._frames[-1]

    def step(self, text: str, formula: Any | None, check: str) -> None:
        """Record a line for the reader."""
        self.steps.append(Step(text=text, formula=formula, check=check))

    def fail(self, text: str, why: str) -> DerivationError:
        """Return the error of the step being made."""
        return DerivationError(f"{self.family}, step {len(self.steps) + 1} ({text}): {why}")

    def require(self, *expressions: Any, given: Conditions = frozenset()) -> None:
        """Read expressions, and add to the step's needs what defines them and does not follow from ``given``."""
        read(*expressions)
        for expression in expressions:
            self._frames[-1].needs |= defined(sympify(expression), given)

    def needs(self, conditions: Iterable[Any]) -> None:
        """Add conditions to the step's needs."""
        self._frames[-1].needs |= set(conditions)

    def rests(self, name: str) -> None:
        """Say that the step rests on a theorem or a computation."""
        self._frames[-1].rests_on[name] = None
        self.chain_rests_on[name] = None

    def learn(
        self, text: str, relation: Relation, sides: tuple[Any, Any], check: str, assuming: Iterable[Any] = ()
    ) -> Fact:
        """Record a fact that later steps may use, under the conditions assumed and those the step needs.

        Raises
        ------
        DerivationError
            If a side is not read, a condition speaks of a bound variable, or an inequality is not between reals.
        """
        left, right = map(sympify, sides)
        assumes = as_conditions(assuming)
        read(left, right, *(condition for condition in assumes if isinstance(condition, Expr)))
        if relation == "<=" and not (real_valued(left) and real_valued(right)):
            raise self.fail(text, f"{left} <= {right} is not between real numbers")
        needs = defined(left, assumes) | defined(right, assumes) | frozenset(self._frames[-1].needs)
        needs = left_over(needs, assumes)
        caught = bound_in(left, right) & symbols_of(assumes | needs)
        if caught:
            raise self.fail(text, f"a condition speaks of {_some(caught)}, a variable of integration or summation")
        fact = Fact(
            relation=relation,
            left=left,
            right=right,
            assumes=assumes,
            needs=needs,
            rests_on=tuple(self._frames[-1].rests_on),
        )
        self.add(fact)
        under = [str(as_relation(need)) for need in sorted(needs, key=str)]
        formula = Eq(left, right, evaluate=False) if relation == "=" else Le(left, right, evaluate=False)
        self.step(text, formula, f"{check}; needs {', '.join(under)}" if under else check)
        return fact

    def add(self, fact: Fact) -> None:
        """Add a fact to those that later steps may use."""
        self.facts.append(fact)
        if fact.relation == "=":
            # The latest comes first, and what assumes nothing before what does.
            same_left = self._equal.setdefault(fact.left.as_dummy(), [])
            same_left.insert(0, fact)
            same_left.sort(key=lambda one: bool(one.assumes))

    def known(self, expression: Any, assuming: Iterable[Any] = ()) -> Expr:
        """Return ``expression`` with every integral, sum and modulus that a fact evaluates replaced by its value.

        A fact is used where what it assumes follows from ``assuming``; its other needs go on to the step being made.
        """
        found, used = self.replaced(sympify(expression), as_conditions(assuming))
        self.use(used, as_conditions(assuming))
        return found

    def use(self, facts: Iterable[Fact], given: Conditions) -> None:
        """Let the step being made inherit what facts need and rest on."""
        for fact in facts:
            self._frames[-1].needs |= left_over(fact.needs, given)
            for name in fact.rests_on:
                self.rests(name)

    def replaced(self, expression: Expr, given: Conditions) -> tuple[Expr, list[Fact]]:
        """Return what `known` returns, and the facts that it took."""
        bound = bound_in(expression)

        def usable(fact: Fact) -> bool:
            # What a fact assumes of a symbol says nothing about a variable of that name under an integral or a sum.
            return not symbols_of(fact.assumes | fact.needs) & bound and not left_over(fact.assumes, given)

        used: dict[Expr, Fact] = {}
        for _ in range(len(self._equal) + 1):
            replaced = _replace(expression, self._equal, usable, used)
            if replaced == expression:
                break
            expression = replaced
        return expression, list(used.values())

    def follows(self, lower: Any, upper: Any, assuming: Iterable[Any] = ()) -> bool:
        """Return True when ``lower <= upper`` is established: an equality, or a bound with the same difference."""
        given = as_conditions(assuming)
        lower, upper = self.known(lower, assuming), self.known(upper, assuming)
        if not (real_valued(lower) and real_valued(upper)):
            return False
        if same(lower, upper):
            return True
        for fact in reversed(self.facts):
            if fact.relation != "<=" or left_over(fact.assumes, given):
                continue
            difference, used = self.replaced(fact.right - fact.left, given)
            if same(upper - lower, difference):
                self.use([fact, *used], given)
                return True
        return False

    def bounds(self, expression: Any, bound: Any, assuming: Iterable[Any] = ()) -> bool:
        """Return True when ``|expression| <= bound`` is established, in whatever form the argument was written."""
        given = as_conditions(assuming)
        for fact in reversed(self.facts):
            if fact.relation != "<=" or not isinstance(fact.left, Modulus) or left_over(fact.assumes, given):
                continue
            argument = fact.left.args[0]
            if same(fact.right, bound) and (same(argument, expression) or same(argument, -expression)):
                self.use([fact], given)
                return True
        return self.follows(Modulus(expression), bound, assuming)


def _replace(
    expression: Expr, rules: Mapping[Expr, list[Fact]], usable: Callable[[Fact], bool], used: dict[Expr, Fact]
) -> Expr:
    """Replace the outermost parts that have a usable rule; bound variables may have other names."""
    if not expression.args:
        return expression
    kinds = {type(key) for key in rules}
    key = expression.as_dummy() if type(expression) in kinds else None
    found = next(filter(usable, rules.get(key, ())), None)
    if found is not None and key is not None:
        used[key] = found
        return found.right
    parts = [_replace(part, rules, usable, used) for part in expression.args]
    return expression if all(map(eq, parts, expression.args)) else expression.func(*parts)


def rule(function: Callable[Concatenate[Ledger, str, P], R]) -> Callable[Concatenate[Ledger, str, P], R]:
    """Make a function a rule of inference: it starts without premises, and what it cannot read is its own failure."""

    @wraps(function)
    def applied(ledger: Ledger, text: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        ledger._frames.append(Premises())
        try:
            return function(ledger, text, *args, **kwargs)
        except (DerivationError, PolynomialError, *UNREADABLE) as error:
            if str(error).startswith(f"{ledger.family}, step"):
                raise
            raise ledger.fail(text, str(error)) from error
        finally:
            inner = ledger._frames.pop()
            ledger._frames[-1].needs |= inner.needs if len(ledger._frames) > 1 else set()
            ledger._frames[-1].rests_on |= inner.rests_on if len(ledger._frames) > 1 else {}

    return applied


def _some(symbols: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, symbols)))
