"""Upper bounds on norms of matrices and of products of matrices, with their rounding."""

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.rounding import gamma


def scaled_product(energy: FloatArray, v: ComplexArray) -> float:
    """Bound ``‖R v‖`` (v two real columns) by ``‖R D⁻¹‖ ‖D v‖₂`` with the D that would be best for even phases."""
    alive = (np.abs(v) > 0) & (energy > 0)
    if not alive.any():
        return 0.0
    energy, v = energy[alive], v[alive]
    squared = np.sqrt(energy) / np.abs(v)  # D²
    columns = np.sqrt(squared) * np.stack([v.real, v.imag])
    trace, skew = float((columns**2).sum()), columns @ columns.T
    # the larger eigenvalue of a symmetric 2 × 2 matrix
    spread = np.hypot(0.5 * (skew[0, 0] - skew[1, 1]), skew[0, 1])
    largest = 0.5 * trace + float(spread) + gamma(4 * v.size + 16) * trace
    return float(np.sqrt((energy / squared).sum() * largest)) * (1 + gamma(2 * v.size + 16))


def spectral_norm(matrix: FloatArray, error: float) -> float:
    """Bound ``‖M + E‖₂`` for ``‖E‖ ≤ error``: ``‖G‖₂² = ‖G²‖₂`` for the Gram matrix G, squared six times, then
    Frobenius.

    A squaring of ``‖G‖_F = 1``, and its lack of symmetry, are off by a few γ in the Frobenius norm; that is added
    before each root is taken.
    """
    top = float(np.abs(matrix).max())
    if top == 0:
        return error
    scaled = matrix / top
    G = scaled.T @ scaled if scaled.shape[0] >= scaled.shape[1] else scaled @ scaled.T
    slack = 2 * gamma(max(scaled.shape) + 8) * float((scaled**2).sum())
    sizes, steps = [], 6
    for _ in range(steps):
        size = float(np.linalg.norm(G))
        sizes.append(size)
        G = G / size
        G = G @ G
    bound = float(np.linalg.norm(G))
    for size in reversed(sizes):
        bound = size * float(np.sqrt(bound + 8 * gamma(G.shape[0] + 8))) * (1 + 1e-14)
    return top * float(np.sqrt(bound + slack)) * (1 + 1e-14) + error
