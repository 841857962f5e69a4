"""The LaTeX of statements, generated from their expressions: what is printed is what is proved."""

from typing import Any

from sympy import Add, Expr, Integral, Mul, Pow, Sum, Symbol, latex
from sympy.core.function import _coeff_isneg
from sympy.printing.latex import LatexPrinter

from quadlens.identities.functions import Modulus
from quadlens.identities.latex_width import LINE, width
from quadlens.identities.statement import Statement, Variable

RELATIONS = {"=": "=", "<=": r"\le"}
CONTINUED = r"\qquad "
"""What a line starts with that goes on with the terms of the one before."""


class _Printer(LatexPrinter):  # type: ignore[misc]
    def _print_Max(self, expression: Any, exp: str | None = None) -> str:
        return self._bracketed(r"\max", expression)

    def _print_Min(self, expression: Any, exp: str | None = None) -> str:
        return self._bracketed(r"\min", expression)

    def _bracketed(self, name: str, expression: Any) -> str:
        return name + r"\left(" + ", ".join(self._print(part) for part in expression.args) + r"\right)"


def formula_latex(formula: Any) -> str:
    """Return a formula as LaTeX."""
    settings = {"order": "none", "imaginary_unit": "i", "fold_short_frac": False, "ln_notation": True}
    return str(_Printer(settings).doprint(formula)).replace(r"\limits", "")


def statement_lines(statement: Statement) -> list[str]:
    """Return a statement as lines of LaTeX: the two sides, what the abbreviations mean, the conditions, and for which
    variables it holds.

    A sum that is longer than a line is broken between its terms.
    """
    head = "" if statement.defines is None else f"{latex(statement.defines)} = "
    left, right = head + formula_latex(statement.left), formula_latex(statement.right)
    sign = RELATIONS[statement.relation]
    whole = f"{left} {sign} {right}"
    if width(whole) <= LINE:
        lines = [whole]
    else:
        lines = [*broken(statement.left, head), *broken(statement.right, rf"\quad {sign} ")]
    notes: list[list[str]] = [broken(definition, f"{latex(symbol)} = ") for symbol, definition in statement.where]
    notes += [[formula_latex(condition)] for condition in statement.conditions]
    lines += _packed(r"\text{where } ", notes)
    return lines + _packed(r"\text{for } ", [[one] for one in _ranges(statement.variables)])


def statement_latex(statement: Statement) -> str:
    """Return one statement as a single piece of LaTeX."""
    lines = statement_lines(statement)
    return lines[0] if len(lines) == 1 else r"\begin{gathered} " + r" \\ ".join(lines) + r" \end{gathered}"


def broken(expression: Expr, before: str = "", after: str = "") -> list[str]:
    """Return ``before expression after`` as lines: a sum that is too long for one is broken between its terms."""
    whole = f"{before}{formula_latex(expression)}{after}"
    if width(whole) <= LINE:
        return [whole]
    if isinstance(expression, Modulus) and isinstance(expression.args[0], Add):
        return broken(expression.args[0], rf"{before}\Bigl| ", rf" \Bigr|{after}")
    if isinstance(expression, Pow) and isinstance(expression.base, Add):
        return broken(expression.base, rf"{before}\Bigl( ", rf" \Bigr)^{{{formula_latex(expression.exp)}}}{after}")
    if isinstance(expression, Sum | Integral):
        # The name of a symbol that no formula has stands for what is summed or integrated.
        opening, closing = formula_latex(expression.func(Symbol("@"), *expression.limits)).split("@")
        inner = expression.function
        parts = (r"\Bigl( ", r" \Bigr)") if isinstance(inner, Add) else ("", "")
        return broken(inner, f"{before}{opening}{parts[0]}", f"{parts[1]}{closing}{after}")
    if isinstance(expression, Mul):
        return _broken_product(expression, before, after)
    if not isinstance(expression, Add):
        return [whole]
    lines, line = [], before
    started = False
    for number, term in enumerate(expression.args):
        negative = _coeff_isneg(term)
        sign = ("- " if negative else "") if number == 0 else (" - " if negative else " + ")
        last = number == len(expression.args) - 1
        end = after if last else ""
        text = f"{sign}{formula_latex(-term if negative else term)}{end}"
        if started and width(line + text) > LINE:
            lines.append(line)
            line = CONTINUED
        if width(line + text) <= LINE:
            line += text
        else:
            *full, line = broken(-term if negative else term, line + sign, end)
            lines += full
        started = True
    return [*lines, line]


def _broken_product(expression: Mul, before: str, after: str) -> list[str]:
    """Break the widest factor, a sum or an integral, behind the others; or between two, if one is not enough."""
    long = [factor for factor in expression.args if isinstance(factor, Add | Sum | Integral)]
    if not long:
        return [f"{before}{formula_latex(expression)}{after}"]
    widest = max(long, key=lambda factor: width(formula_latex(factor)))
    rest = Mul(*(factor for factor in long if factor is not widest))
    if width(formula_latex(rest)) > LINE / 3:
        first = Mul(*(factor for factor in expression.args if not rest.has(factor)))
        return [*_bracketed(first, before, ""), *_bracketed(rest, rf"{CONTINUED}\times ", after)]
    others = formula_latex(Mul(*(factor for factor in expression.args if factor is not widest)))
    others = others.removesuffix("1") if others in ("1", "-1") else f"{others} "
    if isinstance(widest, Add):
        return broken(widest, rf"{before}{others}\Bigl( ", rf" \Bigr){after}")
    return broken(widest, f"{before}{others}", after)


def _bracketed(factor: Expr, before: str, after: str) -> list[str]:
    if not isinstance(factor, Add):
        return broken(factor, before, after)
    whole = rf"{before}\left({formula_latex(factor)}\right){after}"
    return [whole] if width(whole) <= LINE else broken(factor, rf"{before}\Bigl( ", rf" \Bigr){after}")


def _packed(opening: str, notes: list[list[str]]) -> list[str]:
    """Return notes, each a list of lines, as lines: short ones share one."""
    lines: list[str] = []
    line = opening
    for number, (*full, rest) in enumerate(notes):
        comma = "" if number == len(notes) - 1 else ","
        first = full[0] if full else rest + comma
        if line != opening and width(f"{line} \\quad {first}") > LINE:
            lines.append(line)
            line = r"\quad "
        elif line != opening:
            line += r" \quad "
        if full:
            lines += [line + full[0], *full[1:]]
            line = ""
        line += rest + comma
    return [*lines, line] if notes else []


def _ranges(variables: tuple[Variable, ...]) -> list[str]:
    """Return what the variables are, those of one kind together: ``real a, b`` and so on."""
    kinds: dict[str, list[str]] = {}
    for variable in variables:
        symbol = latex(variable.symbol) if variable.length is None else f"{latex(variable.symbol)}_j"
        kinds.setdefault(_kind(variable.symbol), []).append(symbol)
    return [rf"\text{{{kind} }} " + ", ".join(symbols) for kind, symbols in kinds.items()]


def _kind(symbol: Any) -> str:
    sign = next((sign for sign in ("positive", "negative") if getattr(symbol, f"is_{sign}", False)), "")
    if not sign and getattr(symbol, "is_nonnegative", False):
        sign = "non-negative"
    return f"{sign} {'integer' if getattr(symbol, 'is_integer', False) else 'real'}".strip()
