r"""At which width a network of quadrature rules would be certified, for even, random and trained phases.

In the pure pizza's integrals the group at k contributes ``Z_k(d) cos ωk(a + b - c)`` with ``Z_k(d) ∝ W_k |cos(ωkd/2)|``
to logit c. A relative error of at most ε in every group's sum costs at most ``ε Σ_k Z_k |1 - e^{iωkδ}|`` of the margin
``Σ_k Z_k (1 - cos ωkδ)`` over the answer c = a + b + δ, so the right answer stays ahead on every input while

    ε < min_{d,δ} Σ_k Z_k(d) 2 sin²(ωkδ/2) / Σ_k Z_k(d) 2 |sin(ωkδ/2)|       (the tolerated error).

A group *would certify* at the width at which its proved rectangle bound has fallen to that. This is about the pure
pizza's groups, without secondary frequency, bias or skip path: what `quadlens.certificates` proves of a network uses
all of them, and can do with fewer neurons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.claims import Estimate
from quadlens.errors import OptionError
from quadlens.quadrature.rates import TrainedPoint, even_certifying_width, random_certifying_width

BLIND = 1e-12  # responses this small, relative to the weights, are the rounding of a zero


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyingWidths:
    """Neurons that each group needs for a proof, all groups alike.

    ``tolerance``: the tolerated relative error; 0 where the integrals themselves leave an input undecided, and then
    there are no widths. ``even``: evenly spaced phases, closed form. ``random``: 95 % of draws of independent random
    phases, estimated. ``trained``: the widths between which each trained group would certify if its bound fell like
    1/n or like n^{-1/2} from where it is, but for the mismatch of its output phases, which no width mends: a group
    whose mismatch alone is above the tolerance is left out.
    """

    tolerance: float
    even: int | None
    random: Estimate | None
    trained: Mapping[int, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return the widths as JSON values."""
        return {
            "tolerance": self.tolerance,
            "even": self.even,
            "random": None if self.random is None else [self.random.low, self.random.value, self.random.high],
            "trained": {str(k): [estimate.low, estimate.high] for k, estimate in self.trained.items()},
        }


def tolerated_error(p: int, weights: Mapping[int, float]) -> float:
    """Return the largest relative error that every group may have (see the module), from ``W_k`` by frequency k.

    With one frequency it is ``min_δ |sin(ωkδ/2)| = sin(π/p)``:

    >>> bool(np.isclose(tolerated_error(11, {3: 2.0}), np.sin(np.pi / 11)))
    True
    """
    frequencies, W = np.array(list(weights), dtype=np.int64), np.array(list(weights.values()), dtype=np.float64)
    if p < 3 or not W.size or not np.isfinite(W).all() or (W < 0).any() or not W.max() > 0:
        raise OptionError("a tolerated error needs p >= 3 and weights that are finite, >= 0 and not all zero")
    angle = np.pi * (np.outer(frequencies, np.arange(p)) % p) / p  # |cos| and |sin| have period π
    Z = W[:, None] / W.max() * np.abs(np.cos(angle))
    half = np.abs(np.sin(angle[:, 1:]))
    gain, cost = Z.T @ half**2, Z.T @ half
    return float(np.where(cost > BLIND, gain / np.maximum(cost, BLIND), 0.0).min())


def certifying_widths(
    p: int,
    weights: Mapping[int, float],
    trained: Mapping[int, TrainedPoint],
    generator: np.random.Generator,
    *,
    draws: int = 100,
) -> CertifyingWidths:
    """Return the widths for a network with the groups' weights ``W_k`` and some of its groups as they are trained."""
    tolerance = tolerated_error(p, weights)
    if tolerance <= BLIND:
        return CertifyingWidths(tolerance=0.0, even=None, random=None, trained={})
    return CertifyingWidths(
        tolerance=tolerance,
        even=even_certifying_width(tolerance),
        random=random_certifying_width(tolerance, generator, draws=draws),
        trained={k: _between_rates(point, tolerance) for k, point in trained.items() if point.mismatch < tolerance},
    )


def _between_rates(point: TrainedPoint, tolerance: float) -> Estimate:
    ratio = (point.bound - point.mismatch) / (tolerance - point.mismatch)
    ends = sorted((point.width * ratio, point.width * ratio**2))
    return Estimate(
        value=point.width * ratio,
        low=ends[0],
        high=ends[1],
        method="the proved bound at the trained width, less its mismatch, falling like 1/n or n^(-1/2) from there",
    )
