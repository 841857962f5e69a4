"""A derivation is a list of named steps; each is checked as it is made, and one that does not check raises.

`Proof` collects the steps of one family. Its methods are the rules of inference: an equality shown in exponentials,
an integral through a checked antiderivative, a proved sign, a period shifted, an induction, a bound by a visibly non-
negative difference. At the end of each chain, `conclude` compares what was derived with the statement that is stored;
nothing before it looks at the store.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from sympy import Eq, Expr, Integral, Le, S, Sum, Symbol, diff, expand, simplify, sympify
from sympy.core.relational import Relational

from quadlens.errors import DerivationError
from quadlens.identities.antiderivatives import antiderivative
from quadlens.identities.cases import nonnegative_in_every_case
from quadlens.identities.catalogue import statements_of
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Modulus, ReLU, conjugated
from quadlens.identities.signs import known_nonnegative, proved_sign
from quadlens.identities.statement import Statement

Verdict = Literal["proved", "checked numerically", "failed"]
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


class Proof:
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
        self._rules: dict[Expr, Expr] = {}
        self._bounds: list[tuple[Expr, Expr]] = []
        self._divisors: list[Expr] = []

    # -- saying -----------------------------------------------------------------------------------------------------

    def say(self, text: str, formula: Any | None = None) -> None:
        """Record a definition or a remark: nothing is claimed."""
        self._steps.append(Step(text=text, formula=formula, check="definition"))

    def cite(self, text: str, theorem: str) -> None:
        """Record a step that rests on a textbook theorem, named and not re-proved here."""
        self._steps.append(Step(text=text, formula=None, check=f"theorem: {theorem}"))

    def _step(self, text: str, formula: Any | None, check: str) -> None:
        self._steps.append(Step(text=text, formula=formula, check=check))

    def _learn(self, text: str, left: Expr, right: Expr, check: str) -> None:
        """Record an equality that later steps may use: wherever ``left`` stands, ``right`` may."""
        self._rules[left] = right
        self._step(text, Eq(left, right, evaluate=False), check)

    def _bound(self, text: str, left: Expr, right: Expr, check: str) -> None:
        """Record an inequality that a conclusion may use."""
        self._bounds.append((left, right))
        self._step(text, Le(left, right, evaluate=False), check)

    def known(self, expression: Any) -> Expr:
        """Return ``expression`` with every integral.

        Sum and modulus that an earlier step evaluated replaced by its value.
        """
        expression = sympify(expression)
        for _ in range(len(self._rules) + 1):
            replaced = expression.xreplace(self._rules)
            if replaced == expression:
                return expression
            expression = replaced
        return expression

    def _fail(self, text: str, why: str) -> DerivationError:
        return DerivationError(f"{self.family}, step {len(self._steps) + 1} ({text}): {why}")

    # -- equalities -------------------------------------------------------------------------------------------------

    def equal(self, text: str, left: Any, right: Any) -> Expr:
        """Show ``left = right`` identically, and return ``right``."""
        left, right = sympify(left), sympify(right)
        if not same(self.known(left), self.known(right)):
            raise self._fail(text, f"{left} is not shown equal to {right}")
        self._step(text, Eq(left, right, evaluate=False), "difference expands to 0 in exponentials")
        return right

    def modulus_squared(self, text: str, argument: Any, value: Any) -> Expr:
        """Show ``|argument|^2 = value``, the product with the conjugate, and return the value."""
        argument, value = sympify(argument), sympify(value)
        if not vanishes(argument * conjugated(argument) - value):
            raise self._fail(text, f"{argument} times its conjugate is not {value}")
        self._learn(text, Modulus(argument) ** 2, value, "z times its conjugate expands to it in exponentials")
        return value

    def simplified(self, text: str, left: Any, right: Any) -> Expr:
        """Show ``left = right`` between algebraic numbers or expressions that SymPy's ``simplify`` closes.

        And return ``right``.
        """
        left, right = sympify(left), sympify(right)
        if simplify(left - right) != 0:
            raise self._fail(text, f"{left} - ({right}) does not simplify to 0")
        self._learn(text, left, right, "difference simplifies to 0")
        return right

    def derivative(self, text: str, function: Expr, variable: Symbol, value: Expr) -> Expr:
        """Show ``d function / d variable = value``, and return ``value``."""
        if not vanishes(diff(function, variable) - value):
            raise self._fail(text, f"the derivative of {function} is not {value}")
        self._step(
            text, Eq(function.diff(variable, evaluate=False), value, evaluate=False), "differentiated; difference is 0"
        )
        return value

    # -- integrals --------------------------------------------------------------------------------------------------

    def integral(
        self,
        text: str,
        integrand: Expr,
        limits: tuple[Symbol, Any, Any],
        value: Any,
        *,
        nonzero: Sequence[Expr] = (),
    ) -> Expr:
        """Show that a smooth integral has the value given, through a checked antiderivative, and return the value."""
        variable, low, high = limits
        self._divisors += nonzero
        function = antiderivative(integrand, variable, nonzero=nonzero)
        found = function.subs(variable, high) - function.subs(variable, low)
        if not vanishes(found - value):
            raise self._fail(text, f"the integral of {integrand} over ({low}, {high}) is not {value}")
        self._learn(
            text,
            Integral(integrand, limits),
            sympify(value),
            "antiderivative F with F' - f = 0 in exponentials; F at the ends",
        )
        return sympify(value)

    def sign(
        self,
        text: str,
        expression: Expr,
        limits: tuple[Symbol, Any, Any],
        *,
        factors: Sequence[Expr] | None = None,
        assuming: Sequence[Relational] = (),
    ) -> int:
        """Show the sign of an expression throughout an open interval, and return it as +1 or -1."""
        variable, low, high = limits
        try:
            sign = proved_sign(expression, variable, sympify(low), sympify(high), factors=factors, assuming=assuming)
        except DerivationError as error:
            raise self._fail(text, str(error)) from error
        self._step(
            text,
            expression >= 0 if sign > 0 else expression <= 0,
            f"each factor has one sign for {variable} in ({low}, {high})",
        )
        return sign

    def split(
        self,
        text: str,
        integrand: Expr,
        variable: Symbol,
        points: Sequence[Any],
        *,
        factors: Mapping[Expr, Sequence[Expr]] | None = None,
        assuming: Sequence[Relational] = (),
    ) -> list[tuple[Expr, tuple[Symbol, Expr, Expr]]]:
        """Split an integrand with ReLUs and moduli at ``points``.

        On each piece every one is replaced by its proved branch.

        Returns the smooth integrand and the limits of each piece. ``factors`` gives, for an argument that is no
        single sine or cosine, its factorisation (`quadlens.identities.signs`).
        """
        pieces = []
        for low, high in pairwise(points):
            limits = (variable, sympify(low), sympify(high))
            smooth = integrand
            for part in integrand.atoms(ReLU, Modulus):
                if not part.has(variable):
                    continue
                argument = part.args[0]
                given = None if factors is None else factors.get(argument)
                sign = self.sign(
                    f"{text}: the sign between {low} and {high}", argument, limits, factors=given, assuming=assuming
                )
                branch = (argument if sign > 0 else S.Zero) if isinstance(part, ReLU) else sign * argument
                smooth = smooth.xreplace({part: branch})
            pieces.append((smooth, limits))
        return pieces

    def integral_by_pieces(
        self,
        text: str,
        integrand: Expr,
        variable: Symbol,
        points: Sequence[Any],
        value: Any,
        *,
        factors: Mapping[Expr, Sequence[Expr]] | None = None,
        assuming: Sequence[Relational] = (),
        nonzero: Sequence[Expr] = (),
    ) -> Expr:
        """Show the value of an integral whose integrand has kinks at ``points``, and return the value."""
        total: Expr = S.Zero
        self._divisors += nonzero
        for smooth, (_, low, high) in self.split(text, integrand, variable, points, factors=factors, assuming=assuming):
            if smooth == 0:
                continue
            function = antiderivative(smooth, variable, nonzero=nonzero)
            total += function.subs(variable, high) - function.subs(variable, low)
        if not vanishes(total - value):
            raise self._fail(text, f"the integral of {integrand} is not {value}")
        self._learn(
            text,
            Integral(integrand, (variable, points[0], points[-1])),
            sympify(value),
            "sum over the pieces of F(right) - F(left), each with F' - f = 0 in exponentials",
        )
        return sympify(value)

    def periodic(self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], *, shift: Any) -> Expr:
        """Show that the limits span a period of ``integrand``.

        So that the integral is that of the shifted integrand; return this.

        For ``G(s)`` the integral over ``[s, s + period]``, ``G'(s) = g(s + period) - g(s) = 0``: it does not depend
        on ``s``.
        """
        variable, low, high = limits
        period = sympify(high) - low
        if period.has(variable) or sympify(shift).has(variable):
            raise self._fail(text, "the period and the shift must not depend on the variable")
        moved = integrand.subs(variable, variable + period)
        if not same(_tidy(moved), _tidy(integrand)):
            raise self._fail(text, f"{integrand} does not have the period {period}")
        shifted = _tidy(integrand.subs(variable, variable + shift))
        self._learn(
            text,
            Integral(integrand, limits),
            Integral(shifted, limits),
            f"the integrand has period {period}: the integral over a period may be shifted",
        )
        return shifted

    # -- inequalities -----------------------------------------------------------------------------------------------

    def at_most(self, text: str, left: Any, right: Any, slack: Any, *, assuming: Sequence[Relational] = ()) -> None:
        """Show ``left <= right``: the difference equals ``slack`` identically.

        And ``slack`` is visibly non-negative.
        """
        left, right, slack = sympify(left), sympify(right), sympify(slack)
        if not same(self.known(right - left), self.known(slack)):
            raise self._fail(text, f"{right} - ({left}) is not shown equal to {slack}")
        if not (slack.is_nonnegative or known_nonnegative(slack, assuming)):
            raise self._fail(text, f"{slack} is not shown to be non-negative")
        self._bound(text, left, right, f"the difference is {slack}, which is not negative")

    def chain(self, text: str, *terms: Any) -> None:
        """Show ``terms[0] <= terms[-1]``: each neighbour pair is an established bound or an equality."""
        for lower, upper in pairwise(terms):
            if not self._follows(sympify(lower), sympify(upper)):
                raise self._fail(text, f"{lower} <= {upper} is not established")
        self._bound(text, sympify(terms[0]), sympify(terms[-1]), f"chain of {len(terms) - 1} established comparisons")

    def _follows(self, lower: Expr, upper: Expr) -> bool:
        lower, upper = self.known(lower), self.known(upper)
        if same(lower, upper):
            return True
        # A bound may be used scaled by nothing and shifted by anything: l <= u gives l + e <= u + e.
        return any(same(upper - lower, self.known(right - left)) for left, right in self._bounds)

    def at_most_by_cases(self, text: str, left: Any, right: Any, *, assuming: Sequence[Expr] = ()) -> None:
        """Show ``left <= right`` between ReLUs, gates and moduli.

        In each case of their signs by an exact linear program.
        """
        left, right = sympify(left), sympify(right)
        try:
            cases = nonnegative_in_every_case(right - left, assuming)
        except DerivationError as error:
            raise self._fail(text, str(error)) from error
        self._bound(text, left, right, f"an exact linear program in each of {cases} cases of sign")

    def induction(self, text: str, term: Expr, limits: tuple[Symbol, Any, Symbol], closed: Expr) -> Expr:
        """Show ``sum_{j=start}^{end} term(j) = closed(end)`` for every ``end >= start - 1``, and return ``closed``."""
        index, start, end = limits
        if not same(closed.subs(end, sympify(start) - 1), 0):
            raise self._fail(text, f"the closed form is not 0 for the empty sum ({end} = {start} - 1)")
        if not same(closed - closed.subs(end, end - 1), term.subs(index, end)):
            raise self._fail(text, f"closed({end}) - closed({end} - 1) is not the term {term} at {index} = {end}")
        self._learn(
            text,
            Sum(term, limits),
            closed,
            "induction: the empty sum is 0, and one more term is the difference of the closed forms",
        )
        return closed

    def bounded_by_theorem(self, text: str, left: Any, right: Any, theorem: str) -> None:
        """Record ``left <= right`` on the strength of a textbook theorem.

        Whose hypotheses the steps before have shown.
        """
        self._bound(text, sympify(left), sympify(right), f"theorem: {theorem}")

    # -- cases ------------------------------------------------------------------------------------------------------

    def either(self, text: str, left: Any, right: Any, symbol: Symbol, values: Sequence[Any]) -> None:
        """Show ``left <= right`` when ``symbol`` takes one of finitely many values.

        Each case is established already.
        """
        left, right = sympify(left), sympify(right)
        for value in values:
            if not self._follows(_settled(left.subs(symbol, value)), _settled(right.subs(symbol, value))):
                raise self._fail(text, f"the case {symbol} = {value} is not established")
        self._bound(text, left, right, f"each of the cases {symbol} = {', '.join(map(str, values))} is established")

    def by_sign(self, text: str, left: Any, right: Any, symbol: Symbol, positive: Symbol) -> None:
        """Show ``left = right`` for a real ``symbol``.

        It is ``positive``, ``-positive`` or 0, and each case is established.
        """
        left, right = sympify(left), sympify(right)
        if positive.is_positive is not True or symbol.is_real is not True:
            raise self._fail(text, f"{positive} must be positive and {symbol} real")
        for value in (positive, -positive, S.Zero):
            one, other = (_settled(side.subs(symbol, value)) for side in (left, right))
            if not same(self.known(one), self.known(other)):
                raise self._fail(text, f"the case {symbol} = {value} is not established: {one} against {other}")
        self._learn(text, left, right, f"each of the cases {symbol} > 0, < 0, = 0 is established")

    def holds(self, text: str, formula: Any, condition: bool, check: str) -> None:
        """Record a step that a named computation decides (a finite case.

        A ball that contains no zero); raise unless it holds.
        """
        if condition is not True:
            raise self._fail(text, f"{check}: does not hold")
        self._step(text, formula, check)

    def numeric(self, text: str, left: Any, right: Any, digits: int, difference: Callable[[int], Any]) -> None:
        """Record a step that is checked numerically only: ``difference(digits)`` must be below ``10**-digits``."""
        error = difference(digits)
        if not abs(error) < 10 ** sympify(-digits):
            raise self._fail(text, f"the sides differ by {error}, more than 1e-{digits}")
        detail = f"checked numerically to {digits} digits: {text}"
        self._numeric.append(detail)
        self._step(text, Eq(left, right, evaluate=False), detail)

    # -- the end of a chain -----------------------------------------------------------------------------------------

    def conclude(
        self, name: str, left: Any, right: Any, *, relation: str = "=", conditions: Sequence[Any] = ()
    ) -> None:
        """End a chain of steps: what was derived must be the stored statement of that name, side by side.

        The sides and the conditions given here come from the derivation; abbreviations of the stored statement are
        written out first.
        """
        if name not in self._stored:
            raise self._fail(name, "there is no stored statement of that name")
        statement = self._stored[name]
        if name in self._results:
            raise self._fail(name, "concluded twice")
        if relation != statement.relation:
            raise self._fail(name, f"derived '{relation}', stored '{statement.relation}'")
        for side, derived, stored in (("left", left, statement.left), ("right", right, statement.right)):
            if not same(sympify(derived), statement.expanded(stored)) and not same(sympify(derived), stored):
                raise self._fail(name, f"the {side} side stored, {stored}, is not the one derived, {derived}")
        if relation == "=" and not same(self.known(left), self.known(right)):
            raise self._fail(name, f"no step shows that {left} = {right}")
        if relation == "<=" and not self._follows(sympify(left), sympify(right)):
            raise self._fail(name, f"no step shows that {left} <= {right}")
        if set(conditions) != set(statement.conditions):
            raise self._fail(name, f"derived under {list(conditions)}, stored under {list(statement.conditions)}")
        for divisor in self._divisors:
            if not _kept_from_zero(divisor, conditions):
                raise self._fail(name, f"a step divides by {divisor}, and no condition keeps it from 0")
        verdict: Verdict = "checked numerically" if self._numeric else "proved"
        if statement.numeric != bool(self._numeric):
            raise self._fail(
                name, f"stored as {'numeric' if statement.numeric else 'proved'}, the derivation is {verdict}"
            )
        formula = Eq(left, right, evaluate=False) if relation == "=" else Le(left, right, evaluate=False)
        self._step(f"Hence {name}", formula, "agrees with the stored statement on both sides")
        self._results[name] = Result(
            statement=statement, steps=tuple(self._steps), verdict=verdict, detail="; ".join(self._numeric)
        )
        self._steps = []
        self._numeric = []
        self._divisors = []

    def finish(self) -> Derivation:
        """Return the derivation; every stored statement of the family must have been concluded."""
        missing = [name for name in self._stored if name not in self._results]
        if missing:
            raise self._fail("end", f"not derived: {', '.join(missing)}")
        return Derivation(
            name=self.family, title=self.title, results=tuple(self._results[name] for name in self._stored)
        )


def _tidy(expression: Expr) -> Expr:
    """Expand the arguments of functions, so that ``cos(x + s + 2 pi)`` becomes ``cos(x + s)``."""
    return expression.replace(
        lambda part: part.is_Function and len(part.args) == 1, lambda part: part.func(expand(part.args[0]))
    )


def _settled(expression: Expr) -> Expr:
    """Evaluate each ReLU and modulus whose argument has a sign by assumption, and integrals of 0."""
    for part in sorted(expression.atoms(ReLU, Modulus), key=lambda candidate: len(str(candidate))):
        argument = part.args[0]
        if argument.is_nonnegative:
            expression = expression.xreplace({part: argument})
        elif argument.is_nonpositive:
            expression = expression.xreplace({part: S.Zero if isinstance(part, ReLU) else -argument})
    return expression.replace(lambda part: isinstance(part, Integral) and part.function == 0, lambda part: S.Zero)


def _kept_from_zero(divisor: Expr, conditions: Sequence[Any]) -> bool:
    """Return True when ``divisor``, linear in a symbol, is not 0.

    By a condition, or because its root is no integer and must be.
    """
    if divisor.is_nonzero:
        return True
    for symbol in divisor.free_symbols:
        slope = diff(divisor, symbol)
        if slope.has(symbol) or not slope.is_nonzero:
            continue
        root = expand(symbol - divisor / slope)
        if symbol.is_integer and root.is_integer is False:
            return True
        if any(condition.subs(symbol, root) == S.false for condition in conditions):
            return True
    return False
