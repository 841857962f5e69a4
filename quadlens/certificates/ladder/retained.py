r"""Which sums are evaluated: by group, its own key frequency and the output frequencies that matter most."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray

EVERYTHING = 2**22
"""Numbers per group below which every output frequency is evaluated, whatever it costs."""

AT_LEAST = 16
"""So many sums per main group may be evaluated in any case."""

ENOUGH = 1e-3
"""What is left of the squares of all bounds where no further sum is worth its time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retained:
    """``kept (groups, p//2)`` says which sums are evaluated, z from 1; ``left`` of that shape bounds what is not, over
    all inputs and logits (0 where it is).
    """

    kept: BoolArray
    left: FloatArray

    @property
    def frequencies(self) -> IntArray:
        """The output frequencies of which anything is evaluated."""
        return 1 + np.flatnonzero(self.kept.any(axis=0))

    @property
    def whole(self) -> bool:
        """Whether nothing is left to bound."""
        return bool(self.kept.all())

    def of_group(self, number: int, key: int) -> IntArray:
        """Return what is evaluated of a group, its own key first."""
        z = 1 + np.flatnonzero(self.kept[number])
        return np.concatenate([[key], z[z != key]])


def sums_allowed(p: int, groups: int, main: int) -> int:
    """Return how many sums may be evaluated: all of them for a small p, else a constant for each main group."""
    return groups + max(AT_LEAST * main, EVERYTHING // p**2 * groups)


def retain(bounds: FloatArray | None, keys: IntArray, p: int, most: int) -> Retained:
    """Return the choice: every key, then the sums with the largest ``bounds (groups, p//2)`` until little is left.

    Without bounds everything is evaluated.
    """
    groups = keys.size
    if bounds is None:
        return Retained(kept=np.ones((groups, p // 2), dtype=np.bool_), left=np.zeros((groups, p // 2)))
    kept = np.zeros(bounds.shape, dtype=np.bool_)
    kept[np.arange(groups), keys - 1] = True
    squares = np.where(kept, 0.0, bounds**2)
    order = np.argsort(-squares, axis=None, kind="stable")
    beyond = np.cumsum(squares.ravel()[order][::-1])[::-1]
    enough = int((beyond > ENOUGH**2 * float((bounds**2).sum())).sum())
    kept.ravel()[order[: min(most - groups, enough)]] = True
    return Retained(kept=kept, left=np.where(kept, 0.0, bounds))
