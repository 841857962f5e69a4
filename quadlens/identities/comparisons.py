"""Rules that establish inequalities: visibly non-negative differences, cases of sign, sums and integrals of bounds."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sympy import Eq, Expr, Integral, S, Sum, Symbol, Tuple, cos, diff, sin, sympify
from sympy.core.relational import Relational

from quadlens.errors import DerivationError
from quadlens.identities.cases import nonnegative_in_every_case
from quadlens.identities.conditions import as_conditions
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Gate, Modulus, ReLU
from quadlens.identities.ledger import BALLS, THEOREM, Ledger
from quadlens.identities.signs import known_nonnegative


class Comparisons(Ledger):
    """Inequalities."""

    def at_most(self, text: str, left: Any, right: Any, slack: Any, *, assuming: Sequence[Relational] = ()) -> None:
        """Show ``left <= right``: the difference equals ``slack``, which is visibly non-negative."""
        left, right, slack = sympify(left), sympify(right), sympify(slack)
        if not same(self.known(right - left, assuming), self.known(slack, assuming)):
            raise self._fail(text, f"{right} - ({left}) is not shown equal to {slack}")
        if not (slack.is_nonnegative or known_nonnegative(slack, assuming)):
            raise self._fail(text, f"{slack} is not shown to be non-negative")
        self._bound(text, left, right, f"the difference is {slack}, which is not negative", assuming)

    def chain(self, text: str, *terms: Any, assuming: Sequence[Any] = ()) -> None:
        """Show ``terms[0] <= terms[-1]``: each neighbour pair is an established bound or an equality."""
        for lower, upper in pairwise(terms):
            if not self._follows(sympify(lower), sympify(upper), assuming):
                raise self._fail(text, f"{lower} <= {upper} is not established")
        self._bound(
            text, sympify(terms[0]), sympify(terms[-1]), f"chain of {len(terms) - 1} established comparisons", assuming
        )

    def at_most_by_cases(self, text: str, left: Any, right: Any, *, assuming: Sequence[Relational] = ()) -> None:
        """Show ``left <= right`` between ReLUs, gates and moduli.

        In each case of their signs by an exact linear combination.
        """
        left, right = sympify(left), sympify(right)
        try:
            cases = nonnegative_in_every_case(right - left, as_conditions(assuming))
        except DerivationError as error:
            raise self._fail(text, str(error)) from error
        self._bound(text, left, right, f"a combination of the signs, exact, in each of {cases} cases", assuming)

    def mean_value(
        self, text: str, function: Expr, variable: Symbol, one: Any, other: Any, slope: Any, *, theorem: str
    ) -> None:
        """Show ``|f(one) - f(other)| <= slope |one - other|`` for a continuous ``f`` made of smooth branches.

        ``f`` is a polynomial in sines, cosines, ReLUs and moduli, so it is continuous; each branch that they leave has
        the derivative 0 or one whose modulus is established to be at most ``slope``.
        """
        if not function.is_polynomial(*function.atoms(cos, sin, ReLU, Modulus)) or function.has(Gate):
            raise self._fail(text, f"{function} is not a polynomial in sines, cosines, ReLUs and moduli")
        for branch in _branches(function, variable):
            derivative = diff(branch, variable)
            if derivative != 0 and not self._slope_is_known(derivative, sympify(slope)):
                raise self._fail(text, f"|{derivative}| <= {slope} is not established")
        difference = function.subs(variable, one) - function.subs(variable, other)
        self._bound(text, Modulus(difference), slope * Modulus(sympify(one) - other), f"{THEOREM}{theorem}")

    def _slope_is_known(self, derivative: Expr, slope: Expr) -> bool:
        for left, right, needed in self._bounds:
            if isinstance(left, Modulus) and not needed:
                scaled = right / slope * derivative
                if same(left.args[0], scaled) or same(left.args[0], -scaled):
                    return True
        return False

    def series_remainder(
        self,
        text: str,
        error: Any,
        term: Expr,
        limits: tuple[Symbol, Any, Symbol],
        bound: Any,
        *,
        theorem: str,
        assuming: Sequence[Any] = (),
    ) -> None:
        """Show ``error <= bound`` for what a convergent series leaves out: terms of modulus at most ``term``.

        Every partial sum of the terms, up to the symbol that ends ``limits``, is established to be at most ``bound``.
        """
        if sympify(bound).has(limits[2]):
            raise self._fail(text, f"{bound} must not depend on {limits[2]}: it bounds every partial sum")
        if not self._follows(Sum(term, limits), sympify(bound), assuming):
            raise self._fail(text, f"the partial sums of {term} are not established to be at most {bound}")
        self._bound(text, sympify(error), sympify(bound), f"{THEOREM}{theorem}", assuming)

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
        self._numeric_pairs.append((sympify(left), sympify(right)))
        self._step(text, Eq(left, right, evaluate=False), detail)

    def modulus_at_most(self, text: str, expression: Any, bound: Any) -> None:
        """Show ``|expression| <= bound`` for a real expression, from ``expression^2 <= bound^2`` and ``bound >= 0``."""
        expression, bound = sympify(expression), sympify(bound)
        if not bound.is_nonnegative or expression.is_real is not True:
            raise self._fail(text, f"{bound} must be non-negative and {expression} real")
        if not self._follows(expression**2, bound**2):
            raise self._fail(text, f"({expression})^2 <= ({bound})^2 is not established")
        self._bound(text, Modulus(expression), bound, "the squares compare, and the bound is not negative")

    def integrated(
        self, text: str, integrand: Expr, bound: Expr, limits: tuple[Symbol, Any, Any], *, assuming: Sequence[Any] = ()
    ) -> None:
        """Show ``|integral f| <= integral g`` from the established ``|f| <= g``; the limits must be in order."""
        if not self._follows(Modulus(integrand), bound, assuming):
            raise self._fail(text, f"|{integrand}| <= {bound} is not established")
        if not known_nonnegative(sympify(limits[2]) - limits[1], assuming):
            raise self._fail(text, f"{limits[1]} <= {limits[2]} is not known")
        self._bound(
            text,
            Modulus(Integral(integrand, limits)),
            Integral(bound, limits),
            f"the modulus of an integral is at most the integral of the modulus ({limits[1]} <= {limits[2]})",
            assuming,
        )

    def summed(self, text: str, term: Expr, bound: Expr, limits: tuple[Any, ...], *, weight: Any = S.One) -> None:
        """Show ``|sum w f| <= sum w g`` from the established ``|f| <= g`` and ``w >= 0`` (by assumption)."""
        weight = sympify(weight)
        if not weight.is_nonnegative:
            raise self._fail(text, f"the weight {weight} is not known to be non-negative")
        if not self._follows(Modulus(term), bound):
            raise self._fail(text, f"|{term}| <= {bound} is not established")
        self._bound(
            text,
            Modulus(Sum(weight * term, limits)),
            Sum(weight * bound, limits),
            "triangle inequality, term by term, with weights that are not negative",
        )

    def summed_bound(self, text: str, lower: Expr, upper: Expr, limits: tuple[Any, ...]) -> None:
        """Show ``sum lower <= sum upper`` from the established ``lower <= upper``, term by term."""
        if not self._follows(lower, upper):
            raise self._fail(text, f"{lower} <= {upper} is not established")
        self._bound(text, Sum(lower, limits), Sum(upper, limits), "term by term")

    def added(
        self, text: str, left: Any, right: Any, parts: Sequence[tuple[Any, Any]], *, assuming: Sequence[Any] = ()
    ) -> None:
        """Show ``left <= right``: the difference is the sum of those of established bounds ``(lower, upper)``."""
        left, right = sympify(left), sympify(right)
        total: Expr = S.Zero
        for lower, upper in parts:
            if not self._follows(sympify(lower), sympify(upper), assuming):
                raise self._fail(text, f"{lower} <= {upper} is not established")
            total += sympify(upper) - sympify(lower)
        if not same(self.known(right - left, assuming), self.known(total, assuming)):
            raise self._fail(text, f"the bounds do not add up to {left} <= {right}")
        self._bound(text, left, right, f"the sum of {len(parts)} established bounds", assuming)

    def multiplied(
        self, text: str, one: tuple[Expr, Expr], other: tuple[Expr, Expr], *, assuming: Sequence[Any] = ()
    ) -> None:
        """Show ``|f g| <= a b`` from the established ``|f| <= a`` and ``|g| <= b``, given as ``(f, a)`` and ``(g,
        b)``.
        """
        for factor, bound in (one, other):
            if not self._follows(Modulus(factor), bound, assuming):
                raise self._fail(text, f"|{factor}| <= {bound} is not established")
        self._bound(text, Modulus(one[0] * other[0]), one[1] * other[1], "moduli multiply", assuming)

    def given(self, text: str, condition: Any) -> None:
        """Use a condition of the statement, an inequality, as a bound under itself."""
        self._bound(text, condition.lts, condition.gts, "a condition of the statement", (condition,))

    def fraction(self, text: str, numerator: tuple[Any, Any], denominator: tuple[Any, Any]) -> None:
        """Show ``|a / b| <= A / B`` from the established ``|a| <= A`` and ``B <= b``, where ``B > 0`` by assumption."""
        (a, upper), (b, lower) = (tuple(map(sympify, pair)) for pair in (numerator, denominator))
        if not lower.is_positive:
            raise self._fail(text, f"{lower} is not known to be positive")
        if not self._follows(Modulus(a), upper) or not self._follows(lower, b):
            raise self._fail(text, f"|{a}| <= {upper} or {lower} <= {b} is not established")
        self._bound(text, Modulus(a / b), upper / lower, "numerator at most, denominator at least")

    def bound_with(self, text: str, left: Any, right: Any, values: Mapping[Any, Any]) -> None:
        """Use the established ``left <= right`` with other symbols put in."""
        left, right = sympify(left), sympify(right)
        if not self._follows(left, right):
            raise self._fail(text, f"{left} <= {right} is not established")
        self._put(text, values)
        bound = {limits[0] for part in Tuple(left, right).atoms(Integral, Sum) for limits in part.limits}
        if bound & set().union(*(sympify(value).free_symbols for value in values.values())):
            raise self._fail(text, f"{values} would be captured by {bound}")
        put = ", ".join(f"{symbol} -> {value}" for symbol, value in values.items())
        lower, upper = (side.subs(values, simultaneous=True) for side in (left, right))
        self._bound(text, lower, upper, f"an instance of an established bound: {put}")

    def by_balls(
        self, text: str, left: Any, right: Any, holds: bool, check: str, *, assuming: Sequence[Any] = ()
    ) -> None:
        """Record ``left <= right`` as ball arithmetic has decided it; raise unless it holds."""
        if holds is not True:
            raise self._fail(text, f"the balls do not show {left} <= {right}")
        self._bound(text, sympify(left), sympify(right), f"{BALLS}{check}", assuming)


def _branches(function: Expr, variable: Symbol) -> list[Expr]:
    """Return what is left of a function in each combination of signs of its ReLUs and moduli."""
    branches = [function]
    for part in function.atoms(ReLU, Modulus):
        if part.has(variable):
            argument = part.args[0]
            signs = (S.Zero, argument) if isinstance(part, ReLU) else (argument, -argument)
            branches = [branch.xreplace({part: sign}) for branch in branches for sign in signs]
    return branches
