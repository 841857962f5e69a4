r"""What (L) and (G) say of each input, on a device; and the clusters that numpy makes of it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quadlens.arrays import IntArray
from quadlens.certificates.clusters import TELLING, clusters
from quadlens.certificates.input_quantities import InputQuantities, positions
from quadlens.certificates.on_torch.device import apart, block_of, placed, squares
from quadlens.certificates.on_torch.gate_sums import GateSumsOnDevice
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder
from quadlens.certificates.retained import Retained


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputsOnDevice:
    """``InputQuantities`` with axes (d, b): ``X (p, p, 2|F|)`` in pairs, ``R (p, p, buckets)``, ``res, skip (p, p)``.

    ``owner (buckets, |F|)`` is 1 where a bucket's own frequency is z; ``cross (buckets,)``.
    """

    X: Tensor
    R: Tensor
    res: Tensor
    skip: Tensor
    owner: Tensor
    cross: Tensor

    def own(self, d: slice) -> Tensor:
        """Return the sum of R over the buckets with own frequency z, for some classes: shape (classes, p, |F|)."""
        return self.R[d] @ self.owner

    def crossed(self, d: slice) -> Tensor:
        """Return ``Σ_β 2 v_β R_β`` for some classes, shape (classes, p)."""
        return self.R[d] @ (2 * self.cross)

    def fixed(self, d: slice) -> Tensor:
        """Return ``Σ_β 2 v_β R_β + res + skip`` for some classes, shape (classes, p)."""
        return self.crossed(d) + self.res[d] + self.skip[d]

    def on_cpu(self, plan: Plan, retained: Retained) -> InputQuantities:
        """Return the same quantities as numpy arrays."""
        return InputQuantities(
            X=np.ascontiguousarray(self.X.cpu().numpy()).view(np.complex128),
            R=np.ascontiguousarray(np.moveaxis(self.R.cpu().numpy(), 2, 0)),
            position=positions(plan),
            cross=self.cross.cpu().numpy(),
            res=self.res.cpu().numpy(),
            skip=self.skip.cpu().numpy(),
            rest_a=retained.rest_a,
            rest_b=retained.rest_b,
        )


def input_quantities(
    plan: Plan, retained: Retained, sums: GateSumsOnDevice, rest: Remainder, count: OperationCounter
) -> InputsOnDevice:
    """Turn sums over neurons into what the inequalities use, with axes (d, b)."""
    p, kept, device = plan.p, len(plan.retained), sums.C.device
    X, R = torch.empty_like(sums.C), torch.empty_like(sums.R)
    res, skip = torch.empty_like(sums.C[:, :, 0]), torch.empty_like(sums.C[:, :, 0])
    wave = placed(np.ascontiguousarray(retained.waves.T), device)
    vectors = {name: placed(getattr(rest, name), device) for name in ("osc_a", "osc_b", "norm_a", "norm_b", "norm_U")}
    rest_a, rest_b = placed(retained.rest_a, device), placed(retained.rest_b, device)
    b = torch.arange(p, device=device)
    for block in blocks_of(p, block_of(device) // (p * (8 * kept + len(plan.buckets)))):
        a = (b[block, None] + b) % p
        Y = (a + b) % p
        X[block] = product(sums.C[a, b], wave[Y])
        R[block] = sums.R[a, b]
        by_norms = (vectors["norm_a"][a] + vectors["norm_b"][b]) * (vectors["norm_U"][Y] + vectors["norm_U"].max())
        res[block] = torch.minimum(vectors["osc_a"][a] + vectors["osc_b"][b], by_norms)
        skip[block] = rest_a[a, Y] + rest_b[b, Y]
    count.add(p * p, 6 * kept + 6)
    owner = positions(plan)[:, None] == np.arange(kept)
    return InputsOnDevice(
        X=X,
        R=R,
        res=res,
        skip=skip,
        owner=placed(owner.astype(np.float64), device),
        cross=placed(np.array([bucket.cross for bucket in plan.buckets], dtype=np.float64), device),
    )


def product(x: Tensor, y: Tensor) -> Tensor:
    """Return the products of complex numbers in pairs: two products each for the real and the imaginary part."""
    (a, b), (c, d) = apart(x).unbind(-1), apart(y).unbind(-1)
    return torch.stack([a * c - b * d, a * d + b * c], dim=-1).flatten(-2)


def clusters_on(inputs: InputsOnDevice, most: int, count: OperationCounter) -> IntArray:
    """Return the clusters of ``clusters.clusters``: only the retained sums that it looks at come to the CPU."""
    p, kept = inputs.X.shape[0], inputs.X.shape[2] // 2
    variance = torch.zeros_like(inputs.owner[0])
    for block in blocks_of(p, block_of(inputs.X.device) // (p * 4 * kept)):
        X = inputs.X[block]
        variance += squares(X - X.mean(dim=1, keepdim=True)).sum(dim=(0, 1))
    varying = np.sort(np.argsort(-variance.cpu().numpy())[:TELLING])
    count.add(8 * p * p, kept - varying.size)
    columns = placed((2 * varying[:, None] + np.arange(2)).ravel(), inputs.X.device)
    telling = inputs.X[:, :, columns].contiguous().cpu().numpy()
    return clusters(telling.view(np.complex128), most, count)
