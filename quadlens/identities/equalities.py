"""Rules that establish equalities: in exponentials, by differentiation, by induction, term by term."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from sympy import Add, Dummy, Eq, Expr, S, Sum, Symbol, diff, expand, simplify, sympify

from quadlens.errors import DerivationError
from quadlens.identities.cases import nonnegative_in_every_case
from quadlens.identities.conditions import as_conditions
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Modulus, conjugated
from quadlens.identities.ledger import Ledger


class Equalities(Ledger):
    """Equalities."""

    def equal(self, text: str, left: Any, right: Any, *, assuming: Sequence[Any] = ()) -> Expr:
        """Show ``left = right`` identically, and return ``right``."""
        left, right = sympify(left), sympify(right)
        if not same(self.known(left, assuming), self.known(right, assuming)):
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

    def equal_by_cases(self, text: str, left: Any, right: Any, *, assuming: Sequence[Any] = ()) -> Expr:
        """Show ``left = right`` between ReLUs, gates and moduli.

        Neither side exceeds the other in any case of their signs.
        """
        left, right = sympify(left), sympify(right)
        try:
            cases = nonnegative_in_every_case(right - left, as_conditions(assuming)) + nonnegative_in_every_case(
                left - right, as_conditions(assuming)
            )
        except DerivationError as error:
            raise self._fail(text, str(error)) from error
        self._learn(text, left, right, f"a combination of the signs, exact, in each of {cases} cases", assuming)
        return right

    def opposite(self, text: str, left: Expr, right: Expr) -> None:
        """Show ``|z| = |z'|`` because ``z = z'`` or ``z = -z'``."""
        one, other = self.known(left.args[0]), self.known(right.args[0])
        if not (isinstance(left, Modulus) and isinstance(right, Modulus) and (same(one, other) or same(one, -other))):
            raise self._fail(text, f"{left} and {right} are not moduli of the same or opposite expressions")
        self._learn(text, left, right, "the arguments agree, or differ in sign")

    def rewritten(self, text: str, expression: Expr, arguments: Mapping[Expr, Expr]) -> Expr:
        """Replace parts by equal ones (``{part: equal}``, each pair shown equal), and return the new expression."""
        for old, new in arguments.items():
            if not same(self.known(old), self.known(new)):
                raise self._fail(text, f"{old} is not shown equal to {new}")
            if not expression.has(old):
                raise self._fail(text, f"{old} does not occur in {expression}")
        result = expression.xreplace(dict(arguments))
        if result != expression:
            self._learn(text, expression, result, "equals replaced by equals")
        return result

    def linear_sum(self, text: str, total: Sum) -> Expr:
        """Split a sum of several terms, constants taken out, and return the split form."""
        index, start, end = total.limits[0]
        split: Expr = S.Zero
        for term in expand(total.function, deep=False).as_ordered_terms():
            constant, dependent = term.as_independent(index, as_Add=False)
            split += constant * ((sympify(end) - start + 1) if dependent == 1 else Sum(dependent, total.limits[0]))
        self._learn(text, total, split, "a sum is linear; that of a constant is the constant times the number of terms")
        return split

    def termwise(self, text: str, left: Any, right: Any, *, over: tuple[Any, ...] | None = None) -> Expr:
        """Show ``left = right`` where both sides are linear in finite sums: term by term. Return ``right``.

        Every term lies in a sum over the range ``over`` (by default the only range there is); sums over other ranges
        may stand inside or outside of these, since finite sums can be exchanged.
        """
        left, right = sympify(left), sympify(right)
        ranges = sorted({part.limits[0] for part in (left - right).atoms(Sum)}, key=str)
        if over is None and len(ranges) != 1:
            raise self._fail(text, f"name the range that every term is summed over, one of {ranges}")
        main = ranges[0] if over is None else sympify(over)
        marks = {limits: Dummy(f"mark{number}", real=True) for number, limits in enumerate(ranges)}

        def opened(side: Expr) -> Expr:
            return side.replace(lambda part: isinstance(part, Sum), lambda part: part.function * marks[part.limits[0]])

        for limits, mark in marks.items():
            for side in map(opened, (left, right)):
                at = [side.subs(mark, number) for number in range(3)]
                if not vanishes(at[2] - 2 * at[1] + at[0]) or (limits == main and not vanishes(at[0])):
                    raise self._fail(text, f"{left} or {right} is not linear in its sums")
        difference = self.known(opened(left) - opened(right))
        for values in product((0, 1), repeat=len(marks)):
            if not vanishes(difference.subs(dict(zip(marks.values(), values, strict=True)))):
                raise self._fail(text, f"the terms of {left} and {right} are not shown equal")
        self._learn(text, left, right, "term by term: both sides are linear in the sums, and the terms agree")
        return right

    def equal_squares(self, text: str, left: Any, right: Any) -> Expr:
        """Show ``left = right`` for two expressions that are not negative and whose squares agree; return ``right``."""
        left, right = sympify(left), sympify(right)
        if not (left.is_nonnegative and right.is_nonnegative):
            raise self._fail(text, f"{left} and {right} must be known not to be negative")
        if not same(self.known(left**2), self.known(right**2)):
            raise self._fail(text, f"the squares of {left} and {right} are not shown equal")
        self._learn(text, left, right, "neither is negative, and the squares agree")
        return right

    def written_out(self, text: str, total: Sum) -> Expr:
        """Write a sum over a range of numbers out, and return its terms added up."""
        index, start, end = total.limits[0]
        if not (start.is_Integer and end.is_Integer):
            raise self._fail(text, f"the range of {total} must be numbers")
        value = Add(*(total.function.subs(index, number) for number in range(int(start), int(end) + 1)))
        self._learn(text, total, value, f"{int(end) - int(start) + 1} terms written out")
        return value
