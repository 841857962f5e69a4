r"""Which sums are evaluated: each group's at its own key frequency; of the main groups also those that matter most."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.form.amplitude_phase import AmplitudePhaseForm

EVERYTHING = 2**22
"""Where all logits are no more than this, every output frequency is evaluated."""

AT_MOST = 16
"""So many output frequencies are evaluated elsewhere, beside the keys."""

MAIN = 12
"""So many groups at most are evaluated at all of these."""

ENOUGH = 1e-3
"""What is left of all bounds, in root of summed squares, where no further sum is worth its time."""

WORTH = 0.02
"""The share of the squares of what is left that a further frequency must have: noise, spread over all, has less."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retained:
    """``kept (groups, p//2)`` says which sums are evaluated, z from 1; ``common (p//2,)`` are the frequencies at which
    every main group is. ``main (groups,)`` says which those are.
    """

    kept: BoolArray
    common: BoolArray
    main: BoolArray

    @property
    def frequencies(self) -> IntArray:
        """The output frequencies of which anything is evaluated."""
        return 1 + np.flatnonzero(self.kept.any(axis=0))

    @property
    def whole(self) -> bool:
        """Whether nothing is left to bound."""
        return bool(self.kept.all())

    def of_group(self, number: int) -> IntArray:
        """Return the frequencies at which a group is evaluated."""
        return 1 + np.flatnonzero(self.kept[number])


def retain_all(form: AmplitudePhaseForm) -> Retained:
    """Return the choice of everything."""
    groups, half = len(form.groups), form.p // 2
    return Retained(
        kept=np.ones((groups, half), dtype=np.bool_),
        common=np.ones(half, dtype=np.bool_),
        main=np.ones(groups, dtype=np.bool_),
    )


def retain(bounds: FloatArray, form: AmplitudePhaseForm, frequencies: int = AT_MOST) -> Retained:
    """Return the choice of the frequencies with the largest ``bounds (groups, p//2)`` until little is left."""
    keys = np.array([group.frequency for group in form.groups])
    weight = np.array([group.weight for group in form.groups])
    negligible = {group.frequency for group in form.groups} - {group.frequency for group in form.main_groups}
    main = np.zeros(keys.size, dtype=np.bool_)
    main[np.argsort(-weight, kind="stable")[:MAIN]] = True
    main &= ~np.isin(keys, list(negligible))
    common = np.zeros(bounds.shape[1], dtype=np.bool_)
    common[keys[main] - 1] = True
    squares = np.where(common, 0.0, (bounds[main] ** 2).sum(axis=0))
    order = np.argsort(-squares, kind="stable")
    beyond = np.cumsum(squares[order][::-1])[::-1]
    worth = (beyond > ENOUGH**2 * float((bounds[main] ** 2).sum())) & (squares[order] > WORTH * beyond)
    enough = int(np.argmin(np.append(worth, False)))
    common[order[: min(frequencies, enough)]] = True
    kept = main[:, None] & common
    kept[np.arange(keys.size), keys - 1] = True
    return Retained(kept=kept, common=common, main=main)
