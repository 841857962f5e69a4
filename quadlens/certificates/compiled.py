"""Numba where it is installed: loops over neurons or inputs compiled, with the numpy path beside them."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

Loops = TypeVar("Loops", bound=Callable[..., Any])

WORTH_COMPILING = 2**21
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


def kernel(loops: Loops) -> Loops:
    """Return loops compiled by numba, or as they are without it: the same numbers, slowly.

    Sums keep their order; a product and a sum may be fused, which every rounding bound here allows. The machine code
    is kept beside the source or in the user's cache folder, where one of these can be written.
    """
    numba = _numba()
    if numba is None:
        return loops
    for kept in (True, False):
        try:
            compiled: Loops = numba.njit(nogil=True, cache=kept, fastmath={"contract"})(loops)
        except RuntimeError:  # no folder to keep it in
            continue
        return compiled
    return loops
