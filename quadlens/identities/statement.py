"""An identity is data: two sides, a relation, the variables with their ranges.

Where it comes from and who proves it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sympy import Expr, Symbol

from quadlens.errors import DerivationError

Relation = Literal["=", "<="]
WORDS = ("positive", "negative", "nonnegative", "real", "integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A free variable of a statement, and the sample that its witnesses draw from (inclusive for integers).

    The sample is no hypothesis: a statement holds for every value that its symbol may take under its conditions.
    """

    symbol: Any
    low: float
    high: float
    integer: bool = False
    length: int | None = None  # of an indexed family w[1], ..., w[length]; None: a single number

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise DerivationError(f"the range of {self.symbol} must be ordered, got [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    r"""``left relation right`` for all values that the symbols may take and that satisfy the conditions: its `domain`.

    Parameters
    ----------
    name : str
        ``family`` or ``family.part``; unique.
    title : str
        One sentence: what the statement says.
    left, right : Expr
        Both sides, never evaluated: an integral is an ``Integral``. Symbols in ``where`` are abbreviations.
    relation : "=" or "<="
    variables : tuple of Variable
        Every free symbol but those defined in ``where``; integration and summation variables are not free.
    where : tuple of (Symbol, Expr)
        Abbreviations, in order: each may use those before it.
    conditions : tuple
        The hypotheses beside what the symbols are, in the variables and abbreviations: inequalities, ``!=``, and
        `quadlens.identities.conditions.Smooth` for the class of an unnamed function.
    defines : Symbol, optional
        The name that the statement gives to its left side, for display: ``ĥ_2``.
    functions : mapping
        For an undefined function ``f``: a ``Lambda`` that stands for it in the numeric witnesses.
    ball_left : Expr, optional
        A form of the left side that ball arithmetic can integrate (iterated integrals with kinks along the axes).
    kinks : tuple of Expr
        Their zeros are kinks of an outer integrand, which an inner integral hides.
    numeric : bool
        True where the derivation checks a step numerically only, and says so.
    """

    name: str
    title: str
    left: Expr
    right: Expr
    variables: tuple[Variable, ...]
    source: str
    relation: Relation = "="
    where: tuple[tuple[Symbol, Expr], ...] = ()
    conditions: tuple[Any, ...] = ()
    defines: Symbol | None = None
    functions: Mapping[Any, Any] = field(default_factory=dict)
    ball_left: Expr | None = None
    kinks: tuple[Expr, ...] = ()
    numeric: bool = False

    def __post_init__(self) -> None:
        if not self.name or not self.title or not self.source:
            raise DerivationError(f"a statement has a name, a title and a source; got {self.name!r}")
        known = {variable.symbol for variable in self.variables} | {symbol for symbol, _ in self.where}
        used = self.left.free_symbols | self.right.free_symbols
        for _, definition in self.where:
            used |= definition.free_symbols
        known |= {getattr(symbol, "label", symbol) for symbol in known}
        unknown = {symbol for symbol in used if symbol not in known and not hasattr(symbol, "base")}
        if unknown:
            raise DerivationError(f"statement {self.name}: give {sorted(map(str, unknown))} a range in `variables`")
        if self.relation not in ("=", "<="):
            raise DerivationError(f"statement {self.name}: the relation is '=' or '<=', got {self.relation!r}")

    @property
    def family(self) -> str:
        """The family, which is also the name of the script that proves the statement."""
        return self.name.partition(".")[0]

    @property
    def derivation(self) -> str:
        """The script that proves the statement."""
        return f"derivations/{self.family}.py"

    @property
    def domain(self) -> tuple[str, ...]:
        """The hypotheses, all of them: what the symbols are, and the conditions; the ranges of `variables` are none."""
        from quadlens.identities.grammar import kind_of

        kinds: dict[str, list[str]] = {}
        for variable in self.variables:
            label = getattr(variable.symbol, "label", variable.symbol)
            kind = kind_of(label) | {"real": "integer" not in kind_of(label)}
            words = " ".join(word for word in WORDS if kind.get(word))
            kinds.setdefault(words, []).append(str(variable.symbol))
        said = [f"{words} {', '.join(names)}" for words, names in kinds.items()]
        return (*said, *(str(condition) for condition in self.conditions))

    def __repr__(self) -> str:
        given = "".join(f", {symbol} = {definition}" for symbol, definition in self.where)
        return f"Statement({self.name}: {self.left} {self.relation} {self.right}{given})"

    def _repr_latex_(self) -> str:
        from quadlens.identities.latex import statement_latex

        return f"${statement_latex(self)}$"

    def expanded(self, side: Expr) -> Expr:
        """Return ``side`` with every abbreviation written out."""
        for symbol, definition in reversed(self.where):
            side = side.subs(symbol, definition)
        return side
