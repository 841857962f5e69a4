"""Where an expression is defined: denominators that are not 0, square roots, arc cosines, ranges, smooth functions."""

from functools import cache
from typing import Any

from sympy import Derivative, Expr, Indexed, Integral, Max, Min, Subs, Sum, acos, expand, sympify
from sympy.core.function import AppliedUndef

from quadlens.errors import DerivationError
from quadlens.identities.conditions import Conditions, Smooth, nonzero_condition
from quadlens.identities.deduction import follows, is_nonnegative


@cache
def defined(expression: Expr, given: Conditions) -> Conditions:
    """Return the conditions, beside those given, under which every part of ``expression`` has a value.

    Raises
    ------
    DerivationError
        If a part is not shown to have one at every value of a variable of integration or summation.
    """
    needs: set[Any] = set()
    node = sympify(expression)
    if isinstance(node, Integral | Sum):
        needs |= _inside(node, given)
    elif isinstance(node, AppliedUndef):
        needs |= {Smooth(node.func, 0)} | defined(node.args[0], given)
    elif isinstance(node, Derivative):
        needs.add(Smooth(node.expr.func, node.derivative_count))
    elif isinstance(node, Subs):
        needs |= defined(node.expr, given) | defined(node.point[0], given)
    elif not isinstance(node, Indexed):
        if node.is_Pow and node.exp.could_extract_minus_sign() and node.base != -1:
            needs.add(nonzero_condition(node.base))
        if node.is_Pow and node.exp.is_Rational and not node.exp.is_Integer:
            needs |= {expand(node.base)} if not _is_sine_of_clipped(node.base) else set()
        if isinstance(node, acos) and not _is_clipped(node.args[0]):
            needs |= {expand(1 + node.args[0]), expand(1 - node.args[0])}
        for part in node.args:
            needs |= defined(part, given)
    return frozenset(need for need in needs if not follows(need, given))


def _inside(node: Any, given: Conditions) -> set[Any]:
    needs: set[Any] = set()
    inner = given
    for variable, low, high in reversed(node.limits):
        for end in (low, high):
            needs |= defined(end, inner)
        needs |= {expand(high - low + 1)} if isinstance(node, Sum) else set()
        if isinstance(node, Sum) or is_nonnegative(expand(high - low), given):
            inner |= {expand(variable - low), expand(high - variable)}
    needs |= defined(node.function, inner)
    variables = {limits[0] for limits in node.limits}
    for need in needs:
        if need.free_symbols & variables and not follows(need, inner):
            raise DerivationError(f"{node} is not shown to be defined: {need} must hold at every value of its variable")
    return {need for need in needs if not need.free_symbols & variables}


def _is_sine_of_clipped(radicand: Expr) -> bool:
    """Return True for ``1 - z^2`` with a clipped ``z``: SymPy writes ``sin(acos(z))`` as its root."""
    return any(_is_clipped(part) and radicand == 1 - part**2 for part in radicand.atoms(Max))


def _is_clipped(argument: Expr) -> bool:
    """Return True for ``max(-1, min(1, z))``, which lies in [-1, 1]."""
    if not isinstance(argument, Max):
        return False
    return all(part == -1 or (isinstance(part, Min) and 1 in part.args) for part in argument.args) and (
        -1 in argument.args
    )
