r"""The output side split in two: retained frequencies, treated exactly, and the rest.

    U[i, c] = Re Σ_{z∈F} û_{i,z} e^{iωzc} + dU_i(c)          û_{i,z} = (ν_z/p) Σ_c U[i,c] e^{−iωzc},  ν = 2, or 1 at
    2z = p

and the same for the rows of ``S_a`` and ``S_b``.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retained:
    """The split of U, S_a and S_b at the frequencies ``F``.

    ``waves (|F|, p)`` are ``e^{iωzc}``, ``u_hat (n, |F|)``, ``dU (n, p)`` with ``osc (n,)`` its rows' oscillation,
    ``skip_a, skip_b
    (p, |F|)`` the skip path's components, and ``rest_a[a, Y]``, ``rest_b[b, Y]`` ``(p,
    p)`` how far the rest of a row lies below its
    maximum at Y.
    """

    frequencies: tuple[int, ...]
    waves: ComplexArray
    u_hat: ComplexArray
    dU: FloatArray
    osc: FloatArray
    skip_a: ComplexArray
    skip_b: ComplexArray
    rest_a: FloatArray
    rest_b: FloatArray


def waves(p: int, frequencies: tuple[int, ...]) -> ComplexArray:
    """Return ``e^{iωzc}`` for each retained z and each c, shape (|F|, p); the residue ``zc mod p`` is exact."""
    turns = np.array(frequencies, dtype=np.int64)[:, None] * np.arange(p) % p
    return np.asarray(np.exp(2j * np.pi / p * turns))


def transform_operations(length: int) -> int:
    """Return what one real fast Fourier transform of this length is counted as, ``2.5 N log₂ N``."""
    return int(np.ceil(2.5 * length * np.log2(max(length, 2))))


def spectrum(rows: FloatArray, count: OperationCounter) -> ComplexArray:
    """Return ``Σ_c rows[·,c] e^{−iωzc}`` for z = 0 … p//2, shape (rows, p//2 + 1)."""
    count.add(rows.shape[0], transform_operations(rows.shape[1]))
    return np.asarray(np.fft.rfft(rows, axis=1))


def split(
    circuit: Circuit,
    frequencies: tuple[int, ...],
    spectra: dict[str, ComplexArray],
    mask: BoolArray,
    count: OperationCounter,
) -> Retained:
    """Split the output side of a circuit at the given frequencies.

    ``spectra`` are those of the tables U, S_a and S_b; ``mask (n, |F|)`` says which frequencies each neuron retains.
    """
    p = circuit.p
    kept = list(frequencies)
    factor = np.array([1.0 if 2 * z == p else 2.0 for z in frequencies]) / p
    raw = {name: spectra[name][:, kept] for name in spectra}
    raw["U"] = np.where(mask, raw["U"], 0.0)
    hat = {name: raw[name] * factor for name in raw}
    rest = {name: _without(getattr(circuit, name), raw[name], kept, count) for name in raw}
    dU = rest["U"]
    count.add(2 * circuit.neurons + 4 * p, p)
    return Retained(
        frequencies=frequencies,
        waves=waves(p, frequencies),
        u_hat=hat["U"],
        dU=dU,
        osc=dU.max(axis=1) - dU.min(axis=1),
        skip_a=hat["S_a"],
        skip_b=hat["S_b"],
        rest_a=rest["S_a"].max(axis=1, keepdims=True) - rest["S_a"],
        rest_b=rest["S_b"].max(axis=1, keepdims=True) - rest["S_b"],
    )


def _without(rows: FloatArray, raw: ComplexArray, kept: list[int], count: OperationCounter) -> FloatArray:
    """Return the rows less the waves whose spectrum is ``raw``."""
    p = rows.shape[1]
    only = np.zeros((rows.shape[0], p // 2 + 1), dtype=np.complex128)
    only[:, kept] = raw
    count.add(rows.shape[0], transform_operations(p) + p)
    return np.asarray(rows - np.fft.irfft(only, p, axis=1))


def cross_oscillation(retained: Retained, own: IntArray, count: OperationCounter) -> FloatArray:
    """Return ``V_i``, the oscillation over c of each neuron's retained waves but its own.

    ``own[i]`` is the position of neuron i's own frequency in ``frequencies``, or −1.
    """
    n, p = retained.dU.shape
    factor = np.array([p / 1.0 if 2 * z == p else p / 2.0 for z in retained.frequencies])
    hat = retained.u_hat * factor
    owned = np.flatnonzero(own >= 0)
    hat[owned, own[owned]] = 0
    only = np.zeros((n, p // 2 + 1), dtype=np.complex128)
    only[:, list(retained.frequencies)] = hat
    values = np.fft.irfft(only, p, axis=1)
    count.add(n, transform_operations(p) + 2 * p)
    return np.asarray(values.max(axis=1) - values.min(axis=1))
