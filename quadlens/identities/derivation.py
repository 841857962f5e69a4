"""What a derivation is made of: facts while it is written, steps and results when it is read."""

from dataclasses import dataclass
from typing import Any, Literal

from sympy import Expr

from quadlens.identities.conditions import Conditions
from quadlens.identities.statement import Relation, Statement

Verdict = Literal["proved", "checked numerically", "failed"]
THEOREM, BALLS = "theorem: ", "computation in ball arithmetic: "
WEAKER: tuple[Verdict, ...] = ("proved", "checked numerically", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """``left relation right`` for all values of its symbols that satisfy ``assumes`` and ``needs``.

    ``assumes`` was stated and must be stated again where the fact is used; ``needs`` keeps its terms defined and goes
    on to whatever is derived from it. ``rests_on`` names theorems and computations from elsewhere.
    """

    relation: Relation
    left: Expr
    right: Expr
    assumes: Conditions = frozenset()
    needs: Conditions = frozenset()
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a derivation: what is said, the formula it shows, and how it was checked."""

    text: str
    formula: Any | None
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One statement at the end of its chain of steps.

    ``rests_on`` names the theorems and the enclosures that the chain, the lemmas and the earlier statements it uses
    take from elsewhere.
    """

    statement: Statement
    steps: tuple[Step, ...]
    verdict: Verdict
    detail: str = ""
    rests_on: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The verdict, with what it rests on."""
        return "; with the ".join([self.detail or self.verdict, *self.rests_on])


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a script returns: its family, a title, and each statement with the steps that lead to it."""

    name: str
    title: str
    results: tuple[Result, ...]

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict among the statements."""
        return max((result.verdict for result in self.results), key=WEAKER.index)
