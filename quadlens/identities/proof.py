"""A derivation is a list of named steps; each is checked as it is made, and one that does not check raises.

`Proof` collects the steps of one family. Its methods are the rules of inference, in four groups: equalities,
integrals, inequalities, and arguments by cases. At the end of each chain, `conclude` compares what was derived with
the statement that is stored; nothing before it looks at the store.
"""

from quadlens.identities.case_analysis import CaseAnalysis
from quadlens.identities.comparisons import Comparisons
from quadlens.identities.equalities import Equalities
from quadlens.identities.integration import Integration
from quadlens.identities.ledger import Derivation, Result, Step, Verdict

__all__ = ["Derivation", "Proof", "Result", "Step", "Verdict"]


class Proof(Equalities, Integration, Comparisons, CaseAnalysis):
    """The steps of one family, in the making: `Ledger` keeps the books, the other bases are the rules."""
