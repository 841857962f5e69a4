"""Numba where it is installed: loops over neurons or inputs compiled, with the numpy path beside them."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

Loops = TypeVar("Loops", bound=Callable[..., Any])

WORTH_COMPILING = 10**6
"""Entries of A and B from which compiled loops are used: below, numpy is done before a compiler has started."""


@cache
def _numba() -> Any:
    """Return numba, or None where it is not installed or does not work with the numpy that is."""
    try:
        return import_module("numba")
    except (ImportError, SystemError):
        return None


def compiled_is_worth_it(entries: int) -> bool:
    """Say whether a circuit with this many entries in its tables is treated by compiled loops."""
    return entries >= WORTH_COMPILING and _numba() is not None


def kernel() -> Callable[[Loops], Loops]:
    """Return a decorator that compiles loops with numba, or without it leaves them as they are: slow.

    A product and a sum may be fused; every rounding bound here allows that. The machine code is kept beside the source
    or in the user's cache folder, where one of these can be written.
    """

    def compiled(loops: Loops) -> Loops:
        numba = _numba()
        for kept in (True, False) if numba is not None else ():
            try:
                made: Loops = numba.njit(nogil=True, cache=kept, fastmath={"contract"})(loops)
            except RuntimeError:  # no folder to keep it in
                continue
            return made
        return loops

    return compiled
