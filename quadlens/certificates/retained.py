r"""The output side split in two: retained frequencies, treated exactly, and the rest.

    U[i, c] = Re Σ_{z∈F} û_{i,z} e^{iωzc} + dU_i(c)          û_{i,z} = (ν_z/p) Σ_c U[i,c] e^{−iωzc},  ν = 2, or 1 at
    2z = p

and the same for the rows of ``S_a`` and ``S_b``.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retained:
    """The split of U, S_a and S_b at the frequencies ``F``.

    ``waves (|F|, p)`` are ``e^{iωzc}``, ``u_hat (n, |F|)``, ``skip_a, skip_b (p, |F|)`` the skip path's components, and
    ``rest_a[a, Y]``, ``rest_b[b, Y]`` ``(p, p)`` how far the rest of a row lies below its maximum at Y.
    """

    frequencies: tuple[int, ...]
    waves: ComplexArray
    u_hat: ComplexArray
    skip_a: ComplexArray
    skip_b: ComplexArray
    rest_a: FloatArray
    rest_b: FloatArray


def waves(p: int, frequencies: tuple[int, ...]) -> ComplexArray:
    """Return ``e^{iωzc}`` for each retained z and each c, shape (|F|, p); the residue ``zc mod p`` is exact."""
    turns = np.array(frequencies, dtype=np.int64)[:, None] * np.arange(p) % p
    return np.asarray(np.exp(2j * np.pi / p * turns))


def coefficients_of(rows: FloatArray, frequencies: tuple[int, ...], count: OperationCounter) -> ComplexArray:
    """Return ``(ν_z/p) Σ_c rows[·,c] e^{−iωzc}``, shape (rows, |F|)."""
    p = rows.shape[1]
    wave = waves(p, frequencies)
    factor = np.array([1.0 if 2 * z == p else 2.0 for z in frequencies]) / p
    parts = rows @ np.concatenate([wave.real, -wave.imag]).T
    count.add(rows.shape[0], p, 4 * len(frequencies))
    kept = len(frequencies)
    return np.asarray(factor * (parts[:, :kept] + 1j * parts[:, kept:]))


def of_waves(coefficients: ComplexArray, wave: ComplexArray) -> FloatArray:
    """Return ``Re Σ_z coefficients[·,z] e^{iωzc}`` for every c."""
    return np.asarray(
        np.concatenate([coefficients.real, -coefficients.imag], axis=1) @ np.concatenate([wave.real, wave.imag])
    )


def rest_of_outputs(circuit: Circuit, retained: Retained, neurons: IntArray) -> FloatArray:
    """Return ``dU_i(c)`` of some neurons, shape (neurons, p), in an array of its own."""
    return np.asarray(circuit.U[neurons] - of_waves(retained.u_hat[neurons], retained.waves))


def split(
    circuit: Circuit,
    frequencies: tuple[int, ...],
    u_hat: ComplexArray,
    mask: BoolArray,
    count: OperationCounter,
) -> Retained:
    """Split the output side of a circuit at the given frequencies.

    ``u_hat (n, |F|)`` are the coefficients of U at all of them; ``mask`` says which each neuron retains.
    """
    p, kept = circuit.p, len(frequencies)
    wave = waves(p, frequencies)
    skip = {name: coefficients_of(getattr(circuit, name), frequencies, count) for name in ("S_a", "S_b")}
    rest = {name: getattr(circuit, name) - of_waves(skip[name], wave) for name in skip}
    count.add(2 * p * p, 4 * kept + 3)
    return Retained(
        frequencies=frequencies,
        waves=wave,
        u_hat=np.where(mask, u_hat, 0.0),
        skip_a=skip["S_a"],
        skip_b=skip["S_b"],
        rest_a=rest["S_a"].max(axis=1, keepdims=True) - rest["S_a"],
        rest_b=rest["S_b"].max(axis=1, keepdims=True) - rest["S_b"],
    )


def cross_oscillation(retained: Retained, own: IntArray, count: OperationCounter) -> FloatArray:
    """Return ``V_i``, the oscillation over c of each neuron's retained waves but its own.

    ``own[i]`` is the position of neuron i's own frequency in ``frequencies``, or −1.
    """
    kept, p = retained.waves.shape
    out = np.zeros(own.size)
    hat = retained.u_hat.copy()
    owned = np.flatnonzero(own >= 0)
    hat[owned, own[owned]] = 0
    crossing = np.flatnonzero(hat.any(axis=1))

    def work(block: slice) -> None:
        values = of_waves(hat[crossing[block]], retained.waves)
        out[crossing[block]] = values.max(axis=1) - values.min(axis=1)

    in_parallel(work, blocks_of(crossing.size, BLOCK // p))
    count.add(crossing.size, p, 4 * kept + 2)
    return out
