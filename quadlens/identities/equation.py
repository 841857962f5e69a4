"""One stored statement by name: its formula in LaTeX and SymPy, and its proof, run when asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from quadlens.errors import OptionError
from quadlens.identities.catalogue import all_statements, statements_of
from quadlens.identities.derivation import Result
from quadlens.identities.latex import statement_latex, statement_lines
from quadlens.identities.scripts import proved
from quadlens.identities.statement import Statement


@dataclass(frozen=True, slots=True)
class Equation:
    """A stored statement as a reader meets it; in a notebook it shows its formula."""

    statement: Statement

    @property
    def name(self) -> str:
        """The statement's name: ``family`` or ``family.part``."""
        return self.statement.name

    @property
    def title(self) -> str:
        """What the statement says, in a sentence."""
        return self.statement.title

    @property
    def latex(self) -> str:
        """The whole statement as one formula of LaTeX: both sides, the abbreviations, the conditions, the variables."""
        return statement_latex(self.statement)

    @property
    def sympy(self) -> Any:
        """The statement's relation in SymPy, unevaluated, with the abbreviations written out."""
        from sympy import Eq, Le

        left, right = (self.statement.expanded(side) for side in (self.statement.left, self.statement.right))
        relation = Eq if self.statement.relation == "=" else Le
        return relation(left, right, evaluate=False)

    def proof(self) -> Result:
        """Run the family's script and return the steps of this statement's proof with the verdict.

        Raises
        ------
        DerivationError
            If a step of the script does not check.
        """
        results = proved(self.statement.family).results
        return next(result for result in results if result.statement.name == self.name)

    def __repr__(self) -> str:
        return f"Equation({self.statement!r})"

    def _repr_latex_(self) -> str:
        return f"${self.latex}$"

    def _repr_markdown_(self) -> str:
        return f"**{self.name}**: {self.title}\n\n$${self.latex}$$"


class Statements(tuple[Statement, ...]):
    """Every stored statement, in the order of the scripts; ``statements["pizza_integral"]`` finds one by name."""

    __slots__ = ()

    def __getitem__(self, which: Any) -> Any:
        return named(which, self) if isinstance(which, str) else super().__getitem__(which)


def named(name: str, statements: Iterable[Statement] | None = None) -> Statement:
    """Return the statement of that name.

    Raises
    ------
    OptionError
        If there is none; the nearest name, or the parts of the family, are said.
    """
    known = {statement.name: statement for statement in (all_statements() if statements is None else statements)}
    if not isinstance(name, str):
        raise OptionError(f"a statement's name is a text such as 'pizza_integral', got {type(name).__qualname__}")
    if name not in known:
        near = get_close_matches(name, known, n=1) or [one for one in known if name and name in one]
        hint = f"did you mean {near[0]!r}?" if near else "quadlens.identities() lists them"
        raise OptionError(f"no statement is called {name!r}; {hint}")
    return known[name]


def equation(name: str) -> Equation:
    """Return one stored statement by its name.

    Raises
    ------
    OptionError
        If no statement has that name.

    Examples
    --------
    >>> equation("pizza_integral").sympy.rhs
    2*cos(t)/3
    """
    return Equation(named(name))


def equations_named(names: Iterable[str], *, families: bool = False) -> tuple[Equation, ...]:
    """Return statements by name, each once; with ``families`` every statement of the families that are named."""
    found = {}
    for name in names:
        for statement in statements_of(name) if families else [named(name)]:
            found[statement.name] = Equation(statement)
    return tuple(found.values())


def in_format(equation: Equation, name: str) -> str:
    """Return one statement in one of ``FORMATS``.

    ``html`` is MathML, ``sympy`` the relation as ``srepr`` writes it, ``rocq`` a proposition for ``formal/``.
    With the names of sympy and of `quadlens.identities.functions` at hand, ``eval`` makes the relation again.

    Raises
    ------
    OptionError
        If there is no such format.
    """
    if name == "latex":
        return equation.latex
    if name == "markdown":
        lines = " \\\\\n".join(statement_lines(equation.statement))
        return f"**{equation.name}**: {equation.title}\n\n```math\n{lines}\n```"
    if name == "sympy":
        from sympy import srepr

        return str(srepr(equation.sympy))
    if name == "rocq":
        from quadlens.identities.rocq import as_rocq

        return as_rocq(equation.statement)
    if name == "html":
        from html import escape

        from quadlens.identities.equations import drawn_lines

        return f"<p>{escape(equation.title)}</p>\n{drawn_lines(equation.statement)}"
    raise OptionError(f"format must be one of {', '.join(FORMATS)}; got {name!r}")


FORMATS = ("latex", "markdown", "html", "sympy", "rocq")
