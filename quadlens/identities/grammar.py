"""What the kernel reads: real symbols and finite numbers, a few functions, definite integrals and sums, no name twice.

SymPy simplifies expressions as they are built, by what it knows of their symbols. Whatever could carry more than is
displayed (a complex, infinite or undeclared symbol, a bound variable with a sign, two symbols of one name) is refused.
"""

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import Derivative, Expr, Indexed, Integral, Subs, Sum, Symbol, Tuple, sympify
from sympy.core.function import AppliedUndef

from quadlens.errors import DerivationError
from quadlens.identities.functions import Gate, Modulus, Re, ReLU, conjugated

SIGNS: tuple[dict[str, bool], ...] = ({}, {"positive": True}, {"negative": True}, {"nonnegative": True})
KINDS = [
    (sign | {number: True}, Symbol("x", **sign, **{number: True}).assumptions0)
    for number in ("real", "integer")
    for sign in SIGNS
]
ENTIRE = (sympy.cos, sympy.sin, sympy.exp, sympy.erf, sympy.besseli)
OF_REALS = (sympy.acos, sympy.Max, sympy.Min, ReLU, Gate)
HALF = sympy.Rational(1, 2)


def kind_of(symbol: Any) -> dict[str, bool]:
    """Return what a symbol is, one of the kinds that statements display: real or integer, of one sign or of any.

    Raises
    ------
    DerivationError
        If it is anything else: complex, infinite, even, non-zero and so on.
    """
    for kind, assumed in KINDS:
        if symbol.assumptions0 == assumed:
            return kind
    raise DerivationError(
        f"the symbol {symbol} must be declared real or integer, positive, negative, non-negative or of any sign; "
        f"it is declared {symbol._assumptions.generator or 'nothing'}"
    )


def bound_in(*expressions: Any) -> set[Any]:
    """Return the variables of every integral, sum and point of substitution."""
    whole = Tuple(*map(sympify, expressions))
    bound = {limits[0] for part in whole.atoms(Integral, Sum) for limits in part.limits}
    return bound | {variable for part in whole.atoms(Subs) for variable in part.variables}


def renamed(expression: Expr, taken: set[Any]) -> Expr:
    """Return an expression with the variables of integrals and sums that are in ``taken`` called by other names."""
    names = {symbol.name for symbol in taken | expression.atoms(Symbol)}

    def rename(node: Any) -> Any:
        new = {}
        for variable, *_ in node.limits:
            if variable in taken:
                name = variable.name + "_"
                while name in names:
                    name += "_"
                new[variable] = Symbol(name, **kind_of(variable))
        limits = [(new.get(variable, variable), *ends) for variable, *ends in node.limits]
        return node.func(node.function.xreplace(new), *limits)

    return expression.replace(lambda node: isinstance(node, Integral | Sum), rename)


def read(*expressions: Any) -> None:
    """Refuse what the kernel does not read.

    Raises
    ------
    DerivationError
        With the part that is refused, and why.
    """
    whole = [sympify(expression) for expression in expressions]
    for expression in whole:
        _read(expression, ())
    bound = {limits[0] for part in Tuple(*whole).atoms(Integral, Sum) for limits in part.limits}
    free = set().union(*(expression.free_symbols for expression in whole))
    if bound & free:
        raise DerivationError(f"{_some(bound & free)} is both free and the variable of an integral or a sum: rename it")
    names: dict[str, Any] = {}
    for symbol in {one for expression in whole for one in expression.atoms(Symbol)}:
        if names.setdefault(symbol.name, symbol) != symbol:
            raise DerivationError(f"two symbols are called {symbol.name}: what is displayed must tell them apart")


def _some(symbols: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, symbols)))


def _read(node: Any, bound: tuple[Any, ...]) -> None:
    if isinstance(node, Integral | Sum):
        _read_limits(node, bound)
        return
    if not isinstance(node, Expr):
        raise DerivationError(f"{node} is no number: only expressions stand in a statement")
    if isinstance(node, Symbol):
        kind_of(node)
    elif isinstance(node, Indexed):
        kind_of(node.base.label)
        if len(node.indices) != 1 or not node.indices[0].is_integer or node.base.shape is not None:
            raise DerivationError(f"{node} must have one integer index")
    elif node.is_Rational or node in (sympy.pi, sympy.E, sympy.I):
        return
    elif isinstance(node, AppliedUndef):
        if len(node.args) != 1 or not real_valued(node.args[0]):
            raise DerivationError(f"{node} must be a function of one real number")
        _read(node.args[0], bound)
    elif isinstance(node, Derivative):
        if not isinstance(node.expr, AppliedUndef) or node.expr.args != node.variables[:1]:
            raise DerivationError(f"{node} must be a derivative of an unnamed function at its variable")
    elif isinstance(node, Subs):
        if len(node.variables) != 1 or not isinstance(node.expr, Derivative):
            raise DerivationError(f"{node} must be a derivative of an unnamed function at a point")
        _read(node.expr, bound)
        _read(node.point[0], bound)
    elif node.is_Add or node.is_Mul or _is_power(node) or isinstance(node, (*ENTIRE, *OF_REALS, Re, Modulus)):
        for part in node.args:
            _read(part, bound)
        if isinstance(node, OF_REALS) and not all(map(real_valued, node.args)):
            raise DerivationError(f"{node} needs real arguments, and one is not shown to be")
        if isinstance(node, sympy.besseli) and not (node.args[0].is_Integer and node.args[0] >= 0):
            raise DerivationError(f"{node} needs a natural number for its order")
    else:
        raise DerivationError(f"the kernel does not read {node} ({type(node).__name__})")


def _is_power(node: Expr) -> bool:
    """Return True for integer powers, square roots of real numbers, and powers of -1."""
    if not node.is_Pow:
        return False
    if node.exp.is_Integer:
        return True
    if abs(node.exp) == HALF:
        return real_valued(node.base)
    return bool(node.base == -1 and node.exp.is_integer)


def _read_limits(node: Any, bound: tuple[Any, ...]) -> None:
    own = [limits[0] for limits in node.limits]
    if any(len(limits) != 3 for limits in node.limits) or len({*own, *bound}) != len(own) + len(bound):
        raise DerivationError(f"{node} needs a range for every variable, and every variable once")
    for number, (variable, low, high) in enumerate(node.limits):
        kind = kind_of(variable)
        if isinstance(node, Integral) and kind != {"real": True}:
            raise DerivationError(f"{variable} of {node} must be declared real and nothing else: it takes all values")
        if isinstance(node, Sum) and not kind.get("integer"):
            raise DerivationError(f"{variable} of {node} must be declared an integer")
        for end in (low, high):
            _read(end, bound)
            if end.has(*own[: number + 1]):
                raise DerivationError(f"the limits of {node} must not depend on its own variables")
            if isinstance(node, Sum) and not end.is_integer:
                raise DerivationError(f"{end} must be an integer: {node} ends there")
            if not real_valued(end):
                raise DerivationError(f"{end} must be real: {node} ends there")
        if isinstance(node, Sum):
            least = sympify(low) - (1 if kind.get("positive") else 0)
            if ((kind.get("positive") or kind.get("nonnegative")) and not least.is_nonnegative) or kind.get("negative"):
                raise DerivationError(f"{variable} is declared of one sign, and {low} is not known to be")
    _read(node.function, (*bound, *own))


def real_valued(expression: Any) -> bool:
    """Return True when an expression is shown to be real wherever it is defined."""
    node = sympify(expression)
    if node.is_real or isinstance(node, Re | Modulus | ReLU | Gate):
        return True
    if isinstance(node, AppliedUndef | Derivative | Subs | sympy.acos):
        return True
    if isinstance(node, Integral | Sum):
        return real_valued(node.function)
    if node.is_Pow and abs(node.exp) == HALF:
        return real_valued(node.base)
    if node.is_Pow and node.exp.is_integer:
        return real_valued(node.base) or _is_own_conjugate(node)
    if node.args and all(map(real_valued, node.args)):
        return bool(node.is_Add or node.is_Mul or isinstance(node, (*ENTIRE, *OF_REALS)))
    return _is_own_conjugate(node)


def _is_own_conjugate(node: Expr) -> bool:
    from quadlens.identities.exponentials import vanishes

    try:
        return bool(node.has(sympy.I)) and vanishes(node - conjugated(node))
    except ValueError:
        return False
