"""The books of a derivation: its steps, what they have established, and the comparison with the stored statement.

`Ledger` keeps the equalities that later steps may use (as rewriting rules) and the inequalities; `conclude` ends a
chain of steps by comparing what was derived with what is stored. The rules of inference are in the modules that build
on this one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any, Literal

from sympy import Eq, Expr, Integral, Le, S, Sum, sympify

from quadlens.errors import DerivationError
from quadlens.identities.catalogue import FAMILIES, statements_of
from quadlens.identities.conditions import ASSUMED, Conditions, as_conditions, is_known, kept_from_zero, met
from quadlens.identities.exponentials import same
from quadlens.identities.signs import known_nonnegative
from quadlens.identities.statement import Statement

Verdict = Literal["proved", "checked numerically", "failed"]
THEOREM, BALLS = "theorem: ", "computation in ball arithmetic: "
FROM_ELSEWHERE = (THEOREM, BALLS)
"""What the check of a step starts with that is not a step of symbolic algebra."""
WEAKER: tuple[Verdict, ...] = ("proved", "checked numerically", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a derivation: what is said, the formula it shows, and how it was checked."""

    text: str
    formula: Any | None
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One statement at the end of its chain of steps."""

    statement: Statement
    steps: tuple[Step, ...]
    verdict: Verdict
    detail: str = ""

    @property
    def rests_on(self) -> tuple[str, ...]:
        """What the steps take from elsewhere: textbook theorems, named, and enclosures that were computed."""
        return tuple(dict.fromkeys(step.check for step in self.steps if step.check.startswith(FROM_ELSEWHERE)))

    @property
    def in_words(self) -> str:
        """The verdict, with what it rests on."""
        return "; with the ".join([self.detail or self.verdict, *self.rests_on])


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a script returns: its family, a title, and each statement with the steps that lead to it."""

    name: str
    title: str
    results: tuple[Result, ...]

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict among the statements."""
        return max((result.verdict for result in self.results), key=WEAKER.index)


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
        self._stored = {
            statement.name: statement for statement in (statements_of(family) if stored is None else stored)
        }
        self._steps: list[Step] = []
        self._results: dict[str, Result] = {}
        self._numeric: list[str] = []
        self._numeric_pairs: list[tuple[Expr, Expr]] = []
        self._rules: dict[Expr, Expr] = {}
        self._conditional: list[tuple[Expr, Expr, Conditions]] = []
        self._bounds: list[tuple[Expr, Expr, Conditions]] = []
        self._divisors: list[Expr] = []
        self._before = (dict(self._rules), len(self._conditional), len(self._bounds))

    def say(self, text: str, formula: Any | None = None) -> None:
        """Record a definition or a remark: nothing is claimed."""
        self._steps.append(Step(text=text, formula=formula, check="definition"))

    def cite(self, text: str, theorem: str) -> None:
        """Record a step that rests on a textbook theorem, named and not re-proved here."""
        self._steps.append(Step(text=text, formula=None, check=f"{THEOREM}{theorem}"))

    def lemma(self, name: str) -> None:
        """Use a statement that an earlier family proves; its derivation runs, unless it already has in this process."""
        family = name.partition(".")[0]
        if family not in FAMILIES or self.family in FAMILIES[: FAMILIES.index(family) + 1]:
            raise self._fail(name, "a lemma comes from an earlier family")
        from quadlens.identities.scripts import proved

        result = next((result for result in proved(family).results if result.statement.name == name), None)
        if result is None or result.verdict != "proved":
            raise self._fail(name, "the lemma is not proved")
        left, right = (result.statement.expanded(side) for side in (result.statement.left, result.statement.right))
        record = self._learn if result.statement.relation == "=" else self._bound
        conditions = result.statement.conditions
        record(f"Lemma {name}", left, right, f"proved in {result.statement.derivation}", conditions)

    def instance(self, text: str, values: Mapping[Any, Any], *, of: Expr) -> None:
        """Use what is established about the left side ``of``, an equality or a bound, with other symbols put in.

        Conditions come along; those that hold for the values are dropped. A value must satisfy what its symbol is
        assumed to satisfy.
        """
        self._put(text, values)

        def put_in(expression: Expr) -> Expr:
            # A value must not be captured by a bound variable of the same name.
            return expression.as_dummy().subs(values, simultaneous=True)

        def conditions(needed: Conditions) -> Conditions:
            left_over = {put_in(condition) for condition in needed}
            return frozenset(c for c in left_over if c != S.true and not (isinstance(c, Expr) and known_nonnegative(c)))

        check = "an instance, with " + ", ".join(f"{symbol} -> {value}" for symbol, value in values.items())
        key = of.as_dummy()
        equalities = [(key, self._rules[key], Conditions())] if key in self._rules else []
        equalities += [rule for rule in self._conditional if rule[0].as_dummy() == key]
        bounds = [bound for bound in self._bounds if bound[0].as_dummy() == key]
        for left, right, needed in equalities:
            self._learn(text, put_in(left), put_in(right), check, conditions(needed))
        for left, right, needed in bounds:
            self._bound(text, put_in(left), put_in(right), check, conditions(needed))
        if not equalities and not bounds:
            raise self._fail(text, f"nothing is established about {of}")

    def _put(self, text: str, values: Mapping[Any, Any]) -> None:
        """Refuse values that their symbols exclude; what was divided by with a symbol is divided by with its value."""
        for symbol, value in values.items():
            lost = [name for name in ASSUMED if is_known(symbol, name) and not is_known(sympify(value), name)]
            if lost:
                raise self._fail(text, f"{symbol} is {lost[0]}, and {value} is not known to be")
        self._divisors += [
            divisor.subs(values, simultaneous=True) for divisor in self._divisors if divisor.has(*values)
        ]

    def _step(self, text: str, formula: Any | None, check: str) -> None:
        self._steps.append(Step(text=text, formula=formula, check=check))

    def _learn(self, text: str, left: Expr, right: Expr, check: str, assuming: Iterable[Any] = ()) -> None:
        """Record an equality that later steps may use: wherever ``left`` stands, ``right`` may, under the conditions
        given.
        """
        conditions = as_conditions(assuming)
        if conditions:
            self._conditional.append((left, right, conditions))
        else:
            self._rules[left.as_dummy()] = right
        self._step(text, Eq(left, right, evaluate=False), check)

    def _bound(self, text: str, left: Expr, right: Expr, check: str, assuming: Iterable[Any] = ()) -> None:
        """Record an inequality that later steps may use, under the conditions given."""
        self._bounds.append((left, right, as_conditions(assuming)))
        self._step(text, Le(left, right, evaluate=False), check)

    def known(self, expression: Any, assuming: Iterable[Any] = ()) -> Expr:
        """Return ``expression`` with every integral, sum and modulus that an earlier step evaluated replaced by its
        value.

        Equalities that hold under conditions are used when ``assuming`` has all of these.
        """
        expression = sympify(expression)
        conditions = as_conditions(assuming)
        # What is assumed of a symbol says nothing about a variable of that name under an integral or a sum.
        bound = {limits[0] for part in expression.atoms(Integral, Sum) for limits in part.limits}
        rules = self._rules | {
            left.as_dummy(): right
            for left, right, needed in self._conditional
            if met(needed, conditions) and not any(condition.free_symbols & bound for condition in needed)
        }
        for _ in range(len(rules) + 1):
            replaced = _rewrite(expression, rules)
            if replaced == expression:
                return expression
            expression = replaced
        return expression

    def _fail(self, text: str, why: str) -> DerivationError:
        return DerivationError(f"{self.family}, step {len(self._steps) + 1} ({text}): {why}")

    def _follows(self, lower: Expr, upper: Expr, assuming: Iterable[Any] = ()) -> bool:
        conditions = as_conditions(assuming)
        lower, upper = self.known(lower, assuming), self.known(upper, assuming)
        if same(lower, upper):
            return True
        # From l <= u follows l + e <= u + e: only the difference matters.
        return any(
            same(upper - lower, self.known(right - left, assuming))
            for left, right, needed in self._bounds
            if met(needed, conditions)
        )

    def conclude(
        self,
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
        it is not given, those of the stored statement are written out before the sides are compared.
        """
        if name not in self._stored:
            raise self._fail(name, "there is no stored statement of that name")
        statement = self._stored[name]
        if name in self._results:
            raise self._fail(name, "concluded twice")
        if relation != statement.relation:
            raise self._fail(name, f"derived '{relation}', stored '{statement.relation}'")
        for side, derived, stored in (("left", left, statement.left), ("right", right, statement.right)):
            if not same(sympify(derived), stored if where is not None else statement.expanded(stored)):
                raise self._fail(name, f"the {side} side stored, {stored}, is not the one derived, {derived}")
        if where is not None:
            self._compare_abbreviations(name, statement, where)
        if (
            relation == "="
            and (sympify(left), sympify(right)) not in self._numeric_pairs
            and not self._shown(statement, left, right, conditions)
        ):
            raise self._fail(name, f"no step shows that {left} = {right}")
        pair = [(left, right), (statement.expanded(sympify(left)), statement.expanded(sympify(right)))]
        if relation == "<=" and not any(self._follows(sympify(one), sympify(other), conditions) for one, other in pair):
            raise self._fail(name, f"no step shows that {left} <= {right}")
        if as_conditions(conditions) != as_conditions(statement.conditions):
            raise self._fail(name, f"derived under {list(conditions)}, stored under {list(statement.conditions)}")
        for divisor in self._divisors:
            if not kept_from_zero(divisor, conditions):
                raise self._fail(name, f"a step divides by {divisor}, and no condition keeps it from 0")
        verdict: Verdict = "checked numerically" if self._numeric else "proved"
        if statement.numeric != bool(self._numeric):
            raise self._fail(
                name, f"stored as {'numeric' if statement.numeric else 'proved'}, the derivation is {verdict}"
            )
        if self._divisors:
            # What was learned by dividing holds where the divisors are not 0: only the conclusion says where that is.
            self._rules = self._before[0]
            del self._conditional[self._before[1] :], self._bounds[self._before[2] :]
            if relation == "=":
                self._conditional.append((sympify(left), sympify(right), as_conditions(conditions)))
        if relation == "<=":
            self._bounds.append((sympify(left), sympify(right), as_conditions(conditions)))
        formula = Eq(left, right, evaluate=False) if relation == "=" else Le(left, right, evaluate=False)
        self._step(f"Hence {name}", formula, "agrees with the stored statement on both sides")
        self._results[name] = Result(
            statement=statement, steps=tuple(self._steps), verdict=verdict, detail="; ".join(self._numeric)
        )
        self._steps = []
        self._numeric = []
        self._numeric_pairs = []
        self._divisors = []
        self._before = (dict(self._rules), len(self._conditional), len(self._bounds))

    def _shown(self, statement: Statement, left: Any, right: Any, conditions: Sequence[Any]) -> bool:
        """Return True when the steps show the equality, as it stands or with its abbreviations written out."""
        for one, other in ((left, right), (statement.expanded(sympify(left)), statement.expanded(sympify(right)))):
            found, wanted = self.known(one, conditions), self.known(other, conditions)
            if same(found, wanted) or same(statement.expanded(found), statement.expanded(wanted)):
                return True
        return False

    def _compare_abbreviations(self, name: str, statement: Statement, where: Mapping[Any, Any]) -> None:
        if set(where) != {symbol for symbol, _ in statement.where}:
            raise self._fail(name, f"derived with {list(where)}, stored with {[s for s, _ in statement.where]}")
        for symbol, stored in statement.where:
            if not same(sympify(where[symbol]), stored):
                raise self._fail(
                    name, f"the abbreviation {symbol} stored, {stored}, is not the one derived, {where[symbol]}"
                )

    def finish(self) -> Derivation:
        """Return the derivation; every stored statement of the family must have been concluded."""
        missing = [name for name in self._stored if name not in self._results]
        if missing:
            raise self._fail("end", f"not derived: {', '.join(missing)}")
        return Derivation(
            name=self.family, title=self.title, results=tuple(self._results[name] for name in self._stored)
        )


def _rewrite(expression: Expr, rules: Mapping[Expr, Expr]) -> Expr:
    """Replace the outermost parts that have a rule; bound variables may have other names."""
    if not expression.args:
        return rules.get(expression, expression)
    found = rules.get(expression.as_dummy())
    if found is not None:
        return found
    parts = [_rewrite(part, rules) for part in expression.args]
    return expression if all(map(eq, parts, expression.args)) else expression.func(*parts)
