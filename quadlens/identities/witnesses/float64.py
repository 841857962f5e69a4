"""Witness by scipy: both sides in float64, integrals by adaptive quadrature."""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from scipy import integrate, optimize, special
from sympy import Expr, Indexed, Integral, Sum, lambdify

from quadlens.errors import DerivationError
from quadlens.identities.functions import Gate, Modulus, Re, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses.sampling import Values, concrete, member

TOLERANCE = 2e-8
"""scipy's own default for an integral is 1.5e-8; the worst case measured over all statements is below it."""
SCAN = 65
MODULES: list[Any] = [
    {
        "ReLU": lambda z: np.maximum(z, 0.0),
        "Gate": lambda z: np.where(np.real(z) > 0, 1.0, 0.0),
        "Re": np.real,
        "Modulus": np.abs,
        "erf": special.erf,
        "besseli": special.iv,
    },
    "numpy",
]


def witness(statement: Statement, values: Values) -> float:
    """Return by how much the sides differ (an equality) or the left exceeds the right (negative: it does not)."""
    left, right = (evaluate(concrete(statement, side), values) for side in (statement.left, statement.right))
    excess = abs(left - right) if statement.relation == "=" else float(np.real(left - right))
    if not excess <= TOLERANCE * (1 + abs(right)):
        raise DerivationError(f"{statement.name}: scipy finds a difference of {excess:.3g} at {values}")
    return float(excess)


def evaluate(expression: Expr, values: Values) -> Any:
    """Return the value of an expression in float64."""
    numbers = {symbol: float(value) if isinstance(value, Fraction) else value for symbol, value in values.items()}
    return _value(expression, numbers)


def _value(node: Expr, numbers: dict[Any, Any]) -> Any:
    if isinstance(node, Integral):
        return _integral(node, numbers)
    if isinstance(node, Sum):
        index, low, high = node.limits[0]
        first, last = (round(float(_value(end, numbers))) for end in (low, high))
        return sum(_value(node.function, numbers | {index: float(j)}) for j in range(first, last + 1))
    if isinstance(node, Indexed):
        return float(member(node, round(numbers[node.indices[0]]), numbers))
    if node in numbers:
        return numbers[node]
    if not node.args:
        return complex(node) if node == sympy.I else float(node)
    parts = [_value(part, numbers) for part in node.args]
    if node.is_Add:
        return sum(parts)
    if node.is_Mul:
        return np.prod(parts)
    if node.is_Pow:
        return parts[0] ** (round(parts[1]) if node.exp.is_integer else parts[1])
    symbols = [sympy.Dummy() for _ in parts]
    return lambdify(
        symbols,
        node.func(*symbols, evaluate=False) if node.func in (Gate, ReLU, Re, Modulus) else node.func(*symbols),
        modules=MODULES,
    )(*parts)


def _integral(node: Integral, numbers: dict[Any, Any]) -> Any:
    (variable, low, high), inner = node.limits[-1], node.limits[:-1]
    ends = [float(np.real(_value(end, numbers))) for end in (low, high)]
    points: list[float] = []
    if inner:
        rest = Integral(node.function, *inner)

        def integrand(point: float) -> Any:
            return _integral(rest, numbers | {variable: point})
    else:
        used = [symbol for symbol in numbers if symbol in node.function.free_symbols and symbol != variable]
        compiled = _compiled(node.function, (variable, *used))
        arguments = [numbers[symbol] for symbol in used]

        def integrand(point: float) -> Any:
            return compiled(point, *arguments)

        points = _kinks(node.function, variable, used, arguments, ends)

    complex_valued = bool(np.iscomplexobj(integrand(0.3 * ends[0] + 0.7 * ends[1])))
    # An inner integral is known to its own tolerance only: asking for more outside of it finds rounding.
    tolerance = 1e-8 if inner else 1e-10
    options: dict[str, Any] = {"limit": 400, "epsabs": tolerance, "epsrel": tolerance, "complex_func": complex_valued}
    # scipy forgets the sign of a complex integral whose limits are exchanged: integrate upwards.
    edges, sign = sorted([ends[0], *points, ends[1]]), 1 if ends[0] <= ends[1] else -1
    return sign * sum(integrate.quad(integrand, first, last, **options)[0] for first, last in pairwise(edges))


@cache
def _compiled(function: Expr, arguments: tuple[Any, ...]) -> Any:
    return lambdify(list(arguments), function, modules=MODULES)


def _kinks(function: Expr, variable: Any, used: list[Any], arguments: list[Any], ends: list[float]) -> list[float]:
    """Return where an argument of a ReLU, modulus or gate changes sign between the ends, in order."""
    found: set[float] = set()
    grid = np.linspace(ends[0], ends[1], SCAN)
    for part in function.atoms(ReLU, Modulus, Gate):
        if part.has(variable):
            at = _compiled(part.args[0], (variable, *used))
            values = np.array([at(point, *arguments) for point in grid])
            for index in np.flatnonzero(values[:-1] * values[1:] < 0):
                found.add(float(optimize.brentq(at, grid[index], grid[index + 1], args=tuple(arguments), maxiter=1000)))
    return sorted(found, reverse=ends[0] > ends[1])
