"""The sign of a trigonometric function on an arc.

Proved from a factorisation into constants and sines of linear functions.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sympy import Add, Expr, Mul, S, Symbol, cos, diff, expand, floor, pi, sin, sympify

from quadlens.errors import DerivationError
from quadlens.identities.conditions import as_conditions
from quadlens.identities.cones import nonnegative_on_cone
from quadlens.identities.exponentials import vanishes


def proved_sign(
    expression: Expr,
    variable: Symbol,
    left: Expr,
    right: Expr,
    *,
    factors: Sequence[Expr] | None = None,
    assuming: Iterable[Any] = (),
) -> int:
    """Return +1 or -1: the sign that ``expression`` has throughout the open interval ``(left, right)``.

    The expression must equal the product of ``factors`` (by default it is a single factor), each of them either a
    constant of definite sign or ``sin``/``cos`` of a function linear in the variable whose values at both ends lie in
    ``[k pi, (k+1) pi]``. ``assuming`` lists inequalities ``e >= 0`` between symbols that hold by the statement's
    conditions.

    Raises
    ------
    DerivationError
        If the factors do not multiply to the expression, or the sign of one of them is not shown.
    """
    parts = [expression] if factors is None else list(factors)
    if not vanishes(Mul(*parts) - expression):
        raise DerivationError(f"{expression} is not the product of the factors {parts}")
    sign = 1
    for part in parts:
        for factor in Mul.make_args(part):
            sign *= _factor_sign(factor, variable, left, right, assuming)
    return sign


def _factor_sign(factor: Expr, variable: Symbol, left: Expr, right: Expr, assuming: Iterable[Any]) -> int:
    if not factor.has(variable):
        if factor.is_positive or known_nonnegative(factor, assuming):
            return 1
        if factor.is_negative or known_nonnegative(-factor, assuming):
            return -1
        raise DerivationError(f"the sign of the constant {factor} is not known")
    if factor.is_nonnegative or _sum_of_nonnegative(factor, assuming):
        return 1
    if factor.is_nonpositive:
        return -1
    if diff(factor, variable, 2) == 0:
        ends = [expand(factor.subs(variable, end)) for end in (left, right)]
        for sign in (1, -1):
            if all(known_nonnegative(sign * end, assuming) for end in ends):
                return sign
        raise DerivationError(f"the sign of {factor} on ({left}, {right}) is not shown")
    if isinstance(factor, sin | cos):
        argument = factor.args[0] + (pi / 2 if isinstance(factor, cos) else 0)
        if diff(argument, variable, 2) != 0:
            raise DerivationError(f"the argument of {factor} is not linear in {variable}")
        ends = [expand(argument.subs(variable, end)) for end in (left, right)]
        # An increasing argument is smallest at the left end and largest at the right one.
        increasing = diff(argument, variable).is_nonnegative and known_nonnegative(right - left, assuming)
        smallest, largest = (ends[:1], ends[1:]) if increasing else (ends, ends)
        for turn in _candidate_turns(ends):
            low, high = turn * pi, (turn + 1) * pi
            if all(known_nonnegative(end - low, assuming) for end in smallest) and all(
                known_nonnegative(high - end, assuming) for end in largest
            ):
                return 1 if turn % 2 == 0 else -1
        raise DerivationError(f"the sign of {factor} on ({left}, {right}) is not shown")
    raise DerivationError(
        f"the sign of {factor} on ({left}, {right}) is not shown: give it as sines of linear functions"
    )


def _sum_of_nonnegative(factor: Expr, assuming: Iterable[Any]) -> bool:
    """Return True for a sum of products whose factors are each not negative, by assumption or from the conditions."""
    return isinstance(factor, Add) and all(
        all(part.is_nonnegative or known_nonnegative(part, assuming) for part in Mul.make_args(term))
        for term in factor.args
    )


def _candidate_turns(ends: Sequence[Expr]) -> list[int]:
    if all(end.is_number for end in ends):
        return [int(floor(min(float(end) for end in ends) / float(pi) + 1e-9))]
    return [-2, -1, 0, 1]


def known_nonnegative(expression: Expr, assuming: Iterable[Any] = ()) -> bool:
    """Return True when ``expression >= 0`` follows from the symbols' assumptions.

    Or as a sum of assumed inequalities.
    """
    expression = expand(sympify(expression))
    if expression.is_nonnegative:
        return True
    if expression.is_number:
        return vanishes(expression)
    known = [condition for condition in as_conditions(assuming) if isinstance(condition, Expr)]
    if any(expand(expression - scale * first).is_nonnegative for first in known for scale in (1, S.Half)):
        return True
    return nonnegative_on_cone(expression, known) is True
