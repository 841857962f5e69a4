"""Identities, their proofs, and the witnesses against them.

``quadlens.identities()`` returns every stored statement: the module itself can be called, so that ``import
quadlens.identities`` does not take that name away. SymPy is imported on the first call, not with the package.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quadlens.identities.equation import Statements


def identities() -> "Statements":
    """Return every statement of every family, in the order of the scripts: name, both sides, source, derivation.

    ``identities()["pizza_integral"]`` is the statement of that name.
    """
    from quadlens.identities.catalogue import all_statements
    from quadlens.identities.equation import Statements

    return Statements(all_statements())


class _CallableModule(ModuleType):
    """A module that can be called: the function ``identities`` and the package of that name are one object."""

    def __call__(self) -> "Statements":
        return identities()


sys.modules[__name__].__class__ = _CallableModule
