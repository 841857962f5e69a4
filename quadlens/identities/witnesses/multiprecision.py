"""Witness by mpmath: both sides at 30 digits, integrals by Gauss and Legendre between kinks found by bisection."""

from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from typing import Any

import mpmath
import sympy
from sympy import Expr, Indexed, Integral, Sum, lambdify

from quadlens.errors import DerivationError
from quadlens.identities.functions import Gate, Modulus, Re, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses.sampling import Values, concrete, member

DIGITS = 30
GUARD = 12
NODES = 40
"""Of the rule on one smooth piece: more than enough for 40 digits of e^{8ix} over half a turn."""
GRID = 60
NEWTON_STEPS = 8
PANELS = 4
CONSTANTS = {sympy.pi: lambda: mpmath.pi, sympy.I: lambda: mpmath.mpc(0, 1), sympy.E: lambda: mpmath.e}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    sympy.cos: mpmath.cos,
    sympy.sin: mpmath.sin,
    sympy.exp: mpmath.exp,
    sympy.erf: mpmath.erf,
    sympy.acos: mpmath.acos,
    sympy.besseli: mpmath.besseli,
    sympy.Max: max,
    sympy.Min: min,
    Re: mpmath.re,
    Modulus: abs,
    ReLU: lambda z: max(z, mpmath.mpf(0)),
    Gate: lambda z: mpmath.mpf(1 if z > 0 else 0),
}


def witness(statement: Statement, values: Values) -> float:
    """Return by how much the sides differ (an equality) or the left exceeds the right (negative: it does not)."""
    with mpmath.workdps(DIGITS + GUARD):
        left, right = (
            evaluate(concrete(statement, side), values, statement.kinks) for side in (statement.left, statement.right)
        )
        excess = abs(left - right) if statement.relation == "=" else mpmath.re(left - right)
        if not excess <= mpmath.mpf(10) ** -DIGITS * (1 + abs(right)):
            raise DerivationError(f"{statement.name}: mpmath finds a difference of {mpmath.nstr(excess)} at {values}")
        return float(excess)


def evaluate(expression: Expr, values: Values, kinks: tuple[Expr, ...] = ()) -> Any:
    """Return the value of an expression; ``kinks`` have their zeros at further kinks of outer integrands."""
    numbers = {
        symbol: value if isinstance(value, tuple) else mpmath.mpf(value.numerator) / value.denominator
        for symbol, value in values.items()
    }
    return _value(expression, numbers, kinks)


def _value(node: Expr, numbers: dict[Any, Any], kinks: tuple[Expr, ...]) -> Any:
    if node in numbers:
        return numbers[node]
    if node in CONSTANTS:
        return CONSTANTS[node]() * 1
    if node.is_Rational:
        return mpmath.mpf(int(node.p)) / int(node.q)
    if node.is_Float:
        return mpmath.mpf(str(node))
    if isinstance(node, Integral):
        return _integral(node.function, list(node.limits), numbers, kinks)
    if isinstance(node, Sum):
        index, low, high = node.limits[0]
        ends = [int(_value(end, numbers, kinks)) for end in (low, high)]
        terms = [_value(node.function, numbers | {index: mpmath.mpf(j)}, kinks) for j in range(ends[0], ends[1] + 1)]
        return mpmath.fsum(terms)
    if isinstance(node, Indexed):
        value = member(node, int(numbers[node.indices[0]]), numbers)
        return mpmath.mpf(value.numerator) / value.denominator
    parts = [_value(part, numbers, kinks) for part in node.args]
    if node.is_Add:
        return mpmath.fsum(parts)
    if node.is_Mul:
        return mpmath.fprod(parts)
    if node.is_Pow:
        return mpmath.sqrt(parts[0]) if node.exp == sympy.S.Half else mpmath.power(*parts)
    return FUNCTIONS[node.func](*parts)


def _integral(function: Expr, limits: list[Any], numbers: dict[Any, Any], kinks: tuple[Expr, ...]) -> Any:
    (variable, low, high), inner = limits[-1], limits[:-1]
    integrand = Integral(function, *inner) if inner else function
    ends = [mpmath.re(_value(end, numbers, kinks)) for end in (low, high)]
    candidates = [part.args[0] for part in function.atoms(ReLU, Modulus, Gate)] + list(kinks)
    hidden = {limit[0] for limit in inner}
    seen = [part for part in candidates if part.has(variable) and not part.free_symbols & hidden]
    points = [ends[0], *sorted(_zeros(seen, variable, ends, numbers)), ends[1]]
    nodes = _gauss_legendre(mpmath.mp.prec)
    compiled = None if inner or function.atoms(Sum, Integral, Indexed) else _compiled(function, variable)
    total = mpmath.mpf(0)
    for first, last in pairwise(points if inner else _panels(points)):
        middle, half = (first + last) / 2, (last - first) / 2
        if compiled is not None:
            arguments = [numbers[symbol] for symbol in compiled[1]]
            values = [w * compiled[0](middle + half * z, *arguments) for z, w in nodes]
        else:
            values = [w * _value(integrand, numbers | {variable: middle + half * z}, kinks) for z, w in nodes]
        total += half * mpmath.fsum(values)
    return total


def _panels(points: list[Any]) -> list[Any]:
    """Return the points with PANELS - 1 more between neighbours: exponentials and error functions need shorter
    pieces.
    """
    pairs = list(pairwise(points))
    return [a + (b - a) * mpmath.mpf(step) / PANELS for a, b in pairs for step in range(PANELS)] + points[-1:]


def _zeros(parts: list[Expr], variable: Any, ends: list[Any], numbers: dict[Any, Any]) -> list[Any]:
    grid = [ends[0] + (ends[1] - ends[0]) * mpmath.mpf(step) / GRID for step in range(GRID + 1)]
    found = []
    for part in parts:
        at = partial(_real_value, part, variable, numbers)
        signs = [at(point) for point in grid]
        for left, right, a, b in zip(grid[:-1], grid[1:], signs[:-1], signs[1:], strict=True):
            if a * b < 0:
                found.append(mpmath.findroot(at, (left, right), solver="anderson", verify=False))
            elif b == 0 and right != grid[-1]:
                found.append(right)
    return found


def _real_value(part: Expr, variable: Any, numbers: dict[Any, Any], point: Any) -> Any:
    return mpmath.re(_value(part, numbers | {variable: point}, ()))


@cache
def _compiled(function: Expr, variable: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function of the variable and of the other symbols, and these symbols."""
    others = tuple(sorted(function.free_symbols - {variable}, key=str))
    names = {kind.__name__: FUNCTIONS[kind] for kind in (Re, Modulus, ReLU, Gate)}
    return lambdify([variable, *others], function, modules=[names, "mpmath"]), others


@cache
def _gauss_legendre(precision: int) -> tuple[tuple[Any, Any], ...]:
    """Return nodes and weights on [-1, 1] at a precision in bits: Newton's method on the three-term recurrence."""
    with mpmath.workprec(precision + 20):
        rule = []
        for index in range(NODES):
            node = mpmath.cos(mpmath.pi * (index + mpmath.mpf(3) / 4) / (NODES + mpmath.mpf(1) / 2))
            for _ in range(NEWTON_STEPS):
                value, slope = _legendre(node)
                node -= value / slope
            rule.append((node, 2 / ((1 - node**2) * _legendre(node)[1] ** 2)))
        return tuple(rule)


def _legendre(point: Any) -> tuple[Any, Any]:
    """Return the Legendre polynomial of degree NODES and its derivative."""
    before, value = mpmath.mpf(1), point
    for degree in range(2, NODES + 1):
        before, value = value, ((2 * degree - 1) * point * value - (degree - 1) * before) / degree
    return value, NODES * (before - point * value) / (1 - point**2)
