"""Is a linear expression non-negative wherever others are? Shown by writing it as a combination of them with
coefficients >= 0.

The coefficients come from a floating-point linear program; what counts is that, rounded to fractions, they reproduce
the expression exactly. That such a combination exists whenever the claim is true is Farkas' lemma; that it proves the
claim needs no lemma.
"""

from collections.abc import Iterable
from fractions import Fraction

from sympy import Dummy, Expr, Poly, PolynomialError, expand, pi

LARGEST_DENOMINATOR = 720


def nonnegative_on_cone(expression: Expr, conditions: Iterable[Expr]) -> bool | None:
    """Return True when ``expression >= 0`` is shown to follow from all ``conditions`` being ``>= 0``.

    1, pi and symbols that are non-negative by assumption are conditions as well. None: something is not linear.
    """
    rows = [_row(row) for row in (expression, *conditions)]
    if any(row is None for row in rows):
        return None
    slack, *cone = [row for row in rows if row is not None]
    names = sorted({name for row in (slack, *cone) for name in row}, key=str)
    cone += [{name: Fraction(1)} for name in names if name in (1, pi) or getattr(name, "is_nonnegative", False)]
    if not slack:
        return True
    found = _combination(slack, cone, names)
    if found is None:
        return False
    for name in names:
        total = sum((factor * row.get(name, Fraction(0)) for factor, row in zip(found, cone, strict=True)), Fraction(0))
        if total != slack.get(name, 0):
            return False
    return all(factor >= 0 for factor in found)


def _row(expression: Expr) -> dict[object, Fraction] | None:
    """Return the coefficients of a linear expression by symbol, with pi and 1 among the symbols; None: it is not
    linear.
    """
    turn = Dummy("pi")
    expression = expand(expression).subs(pi, turn)
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        return {1: Fraction(int(expression.p), int(expression.q))} if expression.is_Rational else None
    try:
        polynomial = Poly(expression, *symbols)
    except PolynomialError:
        return None
    row: dict[object, Fraction] = {}
    for powers, value in polynomial.terms():
        if sum(powers) > 1 or not value.is_Rational:
            return None
        name = 1 if sum(powers) == 0 else symbols[powers.index(1)]
        row[pi if name == turn else name] = Fraction(int(value.p), int(value.q))
    return {name: value for name, value in row.items() if value}


def _combination(
    slack: dict[object, Fraction], cone: list[dict[object, Fraction]], names: list[object]
) -> list[Fraction] | None:
    import numpy as np
    from scipy.optimize import linprog

    if not cone:
        return None
    matrix = np.array([[float(row.get(name, 0)) for row in cone] for name in names])
    target = np.array([float(slack.get(name, 0)) for name in names])
    solution = linprog(np.ones(len(cone)), A_eq=matrix, b_eq=target, bounds=(0, None), method="highs")
    if not solution.success or solution.x is None:
        return None
    return [Fraction(float(factor)).limit_denominator(LARGEST_DENOMINATOR) for factor in solution.x]
