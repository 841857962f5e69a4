"""Witness by finite sums: every integral as a midpoint sum of n and of 2n points, in numpy; the error falls off as
n^-2.
"""

from typing import Any

import numpy as np
from sympy import Expr, Integral, lambdify

from quadlens.errors import DerivationError
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses.float64 import MODULES, evaluate
from quadlens.identities.witnesses.sampling import Values, concrete

POINTS = 240
CONSTANT = 60.0
"""Of the bound CONSTANT (1 + |right|) / n^2; the midpoint sum of a function g is off by at most (b - a)^2 V(g') / (8
n^2).
"""


def is_limit(statement: Statement) -> bool:
    """Return True for a statement that holds in the limit of finite sums: it contains an integral."""
    return bool(statement.left.atoms(Integral) | statement.right.atoms(Integral))


def witness(statement: Statement, values: Values) -> tuple[float, float]:
    """Return by how much the sides differ (or the left exceeds the right) with n and with 2n points."""
    excesses = []
    for points in (POINTS, 2 * POINTS):
        left, right = (
            _with_sums(concrete(statement, side), values, points) for side in (statement.left, statement.right)
        )
        excess = abs(left - right) if statement.relation == "=" else float(np.real(left - right))
        if not excess <= CONSTANT * (1 + abs(right)) / points**2:
            raise DerivationError(f"{statement.name}: {points} points are off by {excess:.3g} at {values}")
        excesses.append(float(excess))
    return excesses[0], excesses[1]


def _with_sums(side: Expr, values: Values, points: int) -> Any:
    from sympy import Dummy

    numbers: Values = dict(values)
    known: dict[Any, Any] = {}
    for integral in side.atoms(Integral):
        if any(integral != other and other.has(integral) for other in side.atoms(Integral)):
            continue
        stand_in = Dummy("integral")
        side = side.xreplace({integral: stand_in})
        known[stand_in] = integral
    used = [symbol for symbol, value in numbers.items() if not isinstance(value, tuple)]
    for stand_in, integral in known.items():
        numbers[stand_in] = _midpoint(integral, used, numbers, points)
    return evaluate(side, numbers)


def _midpoint(integral: Integral, used: list[Any], values: Values, points: int) -> Any:
    constants = [float(values[symbol]) for symbol in used]  # type: ignore[arg-type]
    axes, width = [], 1.0
    for _, low, high in integral.limits:
        first, last = (float(np.real(evaluate(end, values))) for end in (low, high))
        axes.append(first + (last - first) * (np.arange(points) + 0.5) / points)
        width *= (last - first) / points
    mesh = np.meshgrid(*axes, indexing="ij")
    compiled = lambdify([*(limit[0] for limit in integral.limits), *used], integral.function, modules=MODULES)
    return width * np.sum(compiled(*mesh, *constants) * np.ones_like(mesh[0]))
