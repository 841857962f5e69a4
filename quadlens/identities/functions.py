"""The functions that identities are written in and SymPy must not touch: held as symbols, with their LaTeX.

SymPy integrates ``Max``, ``Abs`` and ``Piecewise`` over a period wrongly and evaluates ``re`` and ``Abs`` of
exponentials into long forms. These classes have no evaluation rules at all: the kernel rewrites them only where a
sign has been proved.
"""

from typing import Any

from sympy import E, Expr, Function, I, Pow, acos, sympify
from sympy.core.function import AppliedUndef


class ReLU(Function):  # type: ignore[misc]
    """``ReLU(x) = x`` for ``x > 0`` and ``0`` otherwise."""

    nargs = 1
    is_real = True
    is_nonnegative = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = rf"\operatorname{{ReLU}}{{\left({printer._print(self.args[0])}\right)}}"
        return body if exp is None else rf"{body}^{{{exp}}}"


class Re(Function):  # type: ignore[misc]
    """The real part of an expression whose symbols are all real."""

    nargs = 1
    is_real = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = rf"\operatorname{{Re}}{{\left[{printer._print(self.args[0])}\right]}}"
        return body if exp is None else rf"{body}^{{{exp}}}"


class Modulus(Function):  # type: ignore[misc]
    """The modulus of an expression, real or complex, whose symbols are all real."""

    nargs = 1
    is_real = True
    is_nonnegative = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = rf"\left|{{{printer._print(self.args[0])}}}\right|"
        return body if exp is None else rf"{body}^{{{exp}}}"

    def _pretty(self, printer: Any) -> Any:
        return printer._print_Abs(self)


class Gate(Function):  # type: ignore[misc]
    """``1`` for ``x > 0`` and ``0`` otherwise: whether a neuron with preactivation ``x`` is on."""

    nargs = 1
    is_real = True
    is_nonnegative = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = rf"\mathbf{{1}}{{\left[{printer._print(self.args[0])} > 0\right]}}"
        return body if exp is None else rf"{body}^{{{exp}}}"


def conjugated(expression: Expr) -> Expr:
    """Return the complex conjugate of an expression in real symbols: ``I`` becomes ``-I``.

    Raises
    ------
    ValueError
        If a symbol is not declared real, or an undefined function occurs: then the rule does not hold.
    """
    expression = sympify(expression)
    for symbol in expression.free_symbols:
        if symbol.is_real is not True:
            raise ValueError(f"the conjugate of {expression} needs real symbols; declare {symbol} real")
    if expression.atoms(AppliedUndef):
        raise ValueError(f"the conjugate of {expression} needs known functions")
    for power in expression.atoms(Pow):
        if not (power.exp.is_integer or power.base == E or (power.base.is_nonnegative and power.exp.is_real)):
            raise ValueError(f"the conjugate of {expression} needs real values, and {power} may have others")
    if any(not part.args[0].is_real or abs(part.args[0]) > 1 for part in expression.atoms(acos) if part.is_number):
        raise ValueError(f"the conjugate of {expression} needs arguments of acos in [-1, 1]")
    return expression.xreplace({I: -I})
