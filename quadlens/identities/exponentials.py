"""Is an expression identically zero? Decided by writing it in exponentials, as a polynomial in independent generators.

``cos`` and ``sin`` become exponentials; every ``exp(sum of terms)`` becomes a product of powers of one generator per
term; what is left is a rational function, and it vanishes identically when its expanded numerator is 0. A non-zero
answer means *not shown*.
"""

from collections.abc import Iterable
from math import lcm
from typing import Any

from sympy import (
    Abs,
    Dummy,
    E,
    Expr,
    I,
    Integer,
    Integral,
    Max,
    Min,
    Piecewise,
    Poly,
    S,
    Sum,
    acos,
    asin,
    atan2,
    besseli,
    cos,
    erf,
    exp,
    expand,
    pi,
    sin,
    sympify,
    together,
)
from sympy.core.function import AppliedUndef, Derivative, Subs

from quadlens.identities.functions import Gate, Modulus, Re, ReLU, conjugated

# What the exponential form must leave alone; each distinct one is a symbol of its own.
OPAQUE = (
    Abs,
    Max,
    Min,
    Piecewise,
    Integral,
    Sum,
    AppliedUndef,
    Derivative,
    Subs,
    ReLU,
    Modulus,
    Gate,
    acos,
    asin,
    atan2,
    erf,
    besseli,
)


def vanishes(expression: Any) -> bool:
    """Return True when ``expression`` is shown to be identically zero (wherever its denominators are not)."""
    return bool(_numerator(sympify(expression)) == 0)


def same(left: Any, right: Any) -> bool:
    """Return True when both sides are shown to be the same expression (matrices and tuples are not handled)."""
    left, right = sympify(left), sympify(right)
    return bool(left == right) or vanishes(left - right)


def in_exponentials(expression: Any) -> Expr:
    """Rewrite real parts, cosines and sines as exponentials and expand."""
    rewritten = sympify(expression).replace(Re, lambda inner: (inner + conjugated(inner)) / 2)
    held: dict[Expr, Dummy] = {}
    masked = _masked(rewritten, held)
    return expand(masked.rewrite(exp)).xreplace({dummy: original for original, dummy in held.items()})


def _masked(expression: Expr, held: dict[Expr, Dummy]) -> Expr:
    """Replace the outermost opaque parts by symbols; two that are the same after normalising share one."""
    if isinstance(expression, OPAQUE):
        # The names of bound variables do not matter.
        return held.setdefault(expression.as_dummy(), Dummy(f"opaque{len(held)}", real=expression.is_real))
    if not expression.args:
        return expression
    return expression.func(*[_masked(part, held) for part in expression.args])


def _numerator(expression: Expr) -> Expr:
    rewritten = expression.replace(Re, lambda inner: (inner + conjugated(inner)) / 2)
    masked = _masked(rewritten, {})
    expanded = expand(masked.rewrite(exp))
    if expanded == 0:
        return S.Zero
    # (-1)**m is exp(i pi m), so that both meet in one generator; a rational multiple of i pi is a number.
    expanded = expanded.replace(
        lambda part: part.is_Pow and part.base == -1 and not part.exp.is_number, lambda part: exp(I * pi * part.exp)
    )
    expanded = expanded.replace(
        lambda part: isinstance(part, exp) and part.args[0].is_number and (part.args[0] / (I * pi)).is_rational,
        lambda part: cos(part.args[0] / I) + I * sin(part.args[0] / I),
    )
    polynomial, relations = _with_generators(expand(expanded))
    # Powers of Euler's number that are plain numbers stay as they are: together() treats them as one more symbol.
    numerator = expand(together(polynomial).as_numer_denom()[0])
    for generator, order in relations:
        if numerator.has(generator):
            numerator = expand(Poly(numerator, generator).rem(Poly(generator**order - 1, generator)).as_expr())
    return expand(numerator)


def _with_generators(expression: Expr) -> tuple[Expr, list[tuple[Dummy, int]]]:
    """Replace every exponential by powers of generators; return the relations ``generator**order = 1`` that hold."""
    exponentials = list(expression.atoms(exp))
    split = {part: _terms(part.args[0]) for part in exponentials}
    denominators: dict[Expr, int] = {}
    for terms in split.values():
        for rest, coefficient in terms:
            denominators[rest] = lcm(denominators.get(rest, 1), int(coefficient.q))
    generators = {rest: Dummy(f"g{i}") for i, rest in enumerate(denominators)}
    replacement = {}
    for part, terms in split.items():
        product: Expr = S.One
        for rest, coefficient in terms:
            product *= generators[rest] ** Integer(coefficient * denominators[rest])
        replacement[part] = product
    relations = [
        (generators[rest], 2 * denominators[rest])
        for rest in denominators
        if (rest / (I * pi)).is_integer and rest != E
    ]
    return expression.xreplace(replacement), relations


def _terms(argument: Expr) -> Iterable[tuple[Expr, Any]]:
    collected: dict[Expr, Any] = {}
    for term in expand(argument).as_ordered_terms():
        coefficient, rest = term.as_coeff_Mul(rational=True)
        collected[rest] = collected.get(rest, S.Zero) + coefficient
    return list(collected.items())
