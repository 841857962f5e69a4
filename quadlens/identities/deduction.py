"""Does one condition follow from others? Decided by signs: of symbols, of combinations, and after shifting to bounds.

``n >= 6`` is used by putting ``6 + d`` for ``n`` with a new ``d >= 0``; an expression all of whose coefficients are
then positive is positive. An answer of False means *not shown*.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice, permutations
from typing import Any

from sympy import Dummy, Expr, Mul, Pow, Rational, S, cancel, diff, exp, expand, factor, fraction, pi, sin, together
from sympy.core.relational import StrictGreaterThan, Unequality

from quadlens.identities.conditions import Conditions, Smooth
from quadlens.identities.functions import Modulus
from quadlens.identities.signs import known_nonnegative

ORDERS = 6
"""Orders of the inequalities that are tried when symbols are shifted to their bounds."""


@cache
def follows(condition: Any, given: Conditions) -> bool:
    """Return True when ``condition`` is shown to hold wherever all of ``given`` do."""
    if condition in given:
        return True
    if isinstance(condition, Smooth):
        return any(
            isinstance(other, Smooth) and other.function == condition.function and other.order >= condition.order
            for other in given
        )
    if isinstance(condition, Unequality):
        return is_nonzero(condition.lhs, given)
    if isinstance(condition, StrictGreaterThan):
        return is_positive(condition.lhs, given)
    return is_nonnegative(condition, given)


def left_over(needed: Conditions, given: Conditions) -> Conditions:
    """Return the conditions needed that do not follow from those given."""
    return frozenset(condition for condition in needed if not follows(condition, given))


@cache
def is_nonnegative(expression: Expr, given: Conditions) -> bool:
    """Return True when ``expression >= 0`` is shown."""
    if known_nonnegative(expression, _inequalities(given)):
        return True
    return any(_has_sign(shifted, strict=False) for shifted in _shifted(expression, given))


@cache
def is_positive(expression: Expr, given: Conditions) -> bool:
    """Return True when ``expression > 0`` is shown."""
    if expression.is_positive:
        return True
    if isinstance(expression, Modulus) and is_nonzero(expression.args[0], given):
        return True
    if any(isinstance(one, StrictGreaterThan) and _quotient_is(one.lhs, expression) for one in given):
        return True
    return any(_has_sign(shifted, strict=True) for shifted in _shifted(expression, given))


@cache
def is_nonzero(expression: Expr, given: Conditions) -> bool:
    """Return True when ``expression != 0`` is shown."""
    if expression.is_nonzero or isinstance(expression, exp):
        return True
    if isinstance(expression, Mul):
        return all(is_nonzero(part, given) for part in expression.args)
    if isinstance(expression, Pow):
        return is_nonzero(expression.base, given)
    if isinstance(expression, Modulus):
        return is_nonzero(expression.args[0], given)
    if any(isinstance(one, Unequality) and _divides(expression, one.lhs) for one in given):
        return True
    if _has_no_integer_root(expression) or is_positive(expression, given) or is_positive(-expression, given):
        return True
    if isinstance(expression, sin):
        angle = expression.args[0]
        return any(
            is_positive(expand(angle - turn * pi), given) and is_positive(expand((turn + 1) * pi - angle), given)
            for turn in (-2, -1, 0, 1)
        )
    factored = factor(expression)
    return isinstance(factored, Mul | Pow) and is_nonzero(factored, given)


def _inequalities(given: Conditions) -> list[Expr]:
    found = [one for one in given if isinstance(one, Expr)]
    return found + [one.lhs for one in given if isinstance(one, StrictGreaterThan)]


def _divides(expression: Expr, multiple: Expr) -> bool:
    """Return True when ``multiple`` is ``expression`` times a polynomial: where it is not 0, neither is a factor."""
    quotient = cancel(multiple / expression)
    return bool(fraction(quotient)[1].is_number) and not quotient.has(sin, exp)


def _quotient_is(one: Expr, other: Expr) -> bool:
    quotient = cancel(one / other)
    return bool(quotient.is_number and quotient.is_positive)


def _has_no_integer_root(expression: Expr) -> bool:
    for symbol in expression.free_symbols:
        if not symbol.is_integer:
            continue
        slope = diff(expression, symbol)
        if slope.is_number and slope.is_nonzero and expand(symbol - expression / slope).is_integer is False:
            return True
    return False


def _has_sign(expression: Expr, *, strict: bool) -> bool:
    numerator, denominator = fraction(together(expression))
    sign = S.One
    for part in (*Mul.make_args(factor(numerator)), *Mul.make_args(factor(denominator))):
        part = expand(part)
        if part.is_positive:
            continue
        if part.is_negative:
            sign = -sign
        elif strict or not part.is_nonnegative or denominator.has(part):
            return False
    return bool(sign > 0)


def _shifted(expression: Expr, given: Conditions) -> Iterator[Expr]:
    """Yield the expression with symbols written as their bounds plus something that is not negative."""
    roots = {part for part in expression.atoms(Pow) if part.exp == Rational(1, 2)}
    # A square root is not negative where it is defined, which its radicand's own condition says.
    expression = expression.xreplace({root: Dummy("root", nonnegative=True) for root in roots})
    useful, reached = [], expression.free_symbols
    for _ in given:
        useful = [one for one in _inequalities(given) if one.free_symbols & reached and not one.has(*roots)]
        reached = reached.union(*(one.free_symbols for one in useful))
    for order in islice(permutations(sorted(useful, key=str)), ORDERS):
        yield expand(_lifted(_at_bounds(expression, order)), deep=False)


def _at_bounds(expression: Expr, inequalities: tuple[Expr, ...]) -> Expr:
    done: set[Any] = set()
    put: list[tuple[Any, Expr]] = []
    for inequality in inequalities:
        bound = expand(inequality.subs(put) if put else inequality)
        for symbol in sorted(bound.free_symbols - done, key=str):
            slope = diff(bound, symbol)
            if not (symbol.is_Symbol and slope.is_number and slope.is_positive):
                continue
            spare = Dummy("d", nonnegative=True)
            value = expand(symbol - bound / slope) + spare
            done |= {spare}
            put = [(name, old.subs(symbol, value)) for name, old in put] + [(symbol, value)]
            break
    for symbol, value in put:
        expression = expression.subs(symbol, value)
    return expression


def _lifted(expression: Expr) -> Expr:
    """Write positive integers as ``1 + d`` with ``d >= 0``."""
    counts = [symbol for symbol in expression.free_symbols if symbol.is_integer and symbol.is_positive]
    return expression.subs({symbol: 1 + Dummy("d", nonnegative=True) for symbol in counts})
