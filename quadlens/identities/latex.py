"""The LaTeX of statements, generated from their expressions: what is printed is what is proved."""

from typing import Any

from sympy import latex
from sympy.printing.latex import LatexPrinter

from quadlens.identities.statement import Statement

RELATIONS = {"=": "=", "<=": r"\le"}
LONG = 160
"""Characters of LaTeX beyond which a side gets a line of its own."""


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
    """Return a statement as lines of LaTeX: the two sides, what the abbreviations mean, and the conditions."""
    head = "" if statement.defines is None else f"{latex(statement.defines)} = "
    left, right = head + formula_latex(statement.left), formula_latex(statement.right)
    sign = RELATIONS[statement.relation]
    lines = [f"{left} {sign} {right}"] if len(left) + len(right) < LONG else [left, rf"\quad {sign} {right}"]
    notes = [f"{latex(symbol)} = {formula_latex(definition)}" for symbol, definition in statement.where]
    notes += [formula_latex(condition) for condition in statement.conditions]
    if notes:
        lines.append(r"\text{where } " + r", \quad ".join(notes))
    return lines


def statement_latex(statement: Statement) -> str:
    """Return one statement as a single piece of LaTeX."""
    return (
        r" \\ ".join(statement_lines(statement))
        if len(statement_lines(statement)) == 1
        else (r"\begin{gathered} " + r" \\ ".join(statement_lines(statement)) + r" \end{gathered}")
    )
