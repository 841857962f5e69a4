"""Matrix products that start no threads of their own, for work that is shared out over threads already.

Two threads that each ask for a product on two cores wait for each other, and a BLAS's threads keep a core busy for a
while after they are done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any


@cache
def blas_libraries() -> Any:
    """Find the BLAS libraries that numpy has loaded: once, for it takes as long as proving something small."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


class _Setting:
    """The number of BLAS threads belongs to the process: the first who wants one sets it, the last restores it."""

    __slots__ = ("_limits", "_lock", "_users")

    def __init__(self) -> None:
        self._lock, self._users = Lock(), 0
        self._limits: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._users:
                self._limits = blas_libraries().limit(limits=1, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._limits.restore_original_limits()


_SETTING = _Setting()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """While inside, numpy's matrix products run on the thread that asks for them; safe in several threads at once."""
    _SETTING.enter()
    try:
        yield
    finally:
        _SETTING.leave()
