r"""The retained outputs of every input where each neuron is evaluated at each input: no gate lemma, any activation.

    C_z(a,b) = Σ_i h_i û_{i,z} + Ŝ_z        |h_i − act(y_i)| ≤ e_i
    res(a,b) = Σ_γ min( Σ_{i∈γ} |ε_i| osc_i , ‖ε‖_γ (‖dU(Y)‖_γ + max_c ‖dU(c)‖_γ) )      ε_i = h_i − P_{γ,d}[c_i + g·kb]

(docs/certificates.md, "Smooth activations"). O(p²n|F|), where the product with U takes O(p³n).
"""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.compute.blocks import blocks_of, in_parallel
from quadlens.certificates.exact.activation_enclosure import enclosed_activation
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import UNIT_ROUNDOFF, gamma, up

IN_CACHE = 2**16
"""Float64 numbers of preactivations evaluated together, about."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridSums:
    """``C (|F|, p, p)`` complex, ``R = 0`` and ``res (p, p)``, no smaller than it is, axes d, b; ``off (n,)`` is no
    smaller than ``e_i``, ``size (n,)`` than ``|h_i|`` and ``|P|``."""

    C: ComplexArray
    R: FloatArray
    res: FloatArray
    off: FloatArray
    size: FloatArray


def grid_sums(circuit: Circuit, plan: Plan, split: Split) -> GridSums:
    """Return what every input's retained outputs are, and what the waveforms leave of it."""
    p, kept = plan.p, len(plan.retained)
    a = (np.arange(p)[:, None] + np.arange(p)) % p
    C = split.skip_a.T[:, a] + split.skip_b.T[:, None, :]
    res, off, size = np.zeros((p, p)), np.zeros(circuit.neurons), np.zeros(circuit.neurons)
    for number, group in enumerate(plan.groups):
        of_group = _Evaluated.of(circuit, plan, split, number)
        step = max(1, IN_CACHE // (p * group.members.size))
        place = plan.positions(group)
        place = np.concatenate([place, kept + place])
        found_of = in_parallel(of_group.classes, blocks_of(p, step))
        for block, found in zip(blocks_of(p, step), found_of, strict=True):
            C[place, block] += found.C.transpose(2, 0, 1)
            res[block] += found.res
            off[group.members] = np.maximum(off[group.members], found.off)
            size[group.members] = np.maximum(size[group.members], found.size)
    return GridSums(C=C[:kept] + 1j * C[kept:], R=np.zeros((p, p)), res=up(res, len(plan.groups)), off=off, size=size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """Some classes at every b, (classes, p): the group's part of C and of res; ``off, size (members,)``."""

    C: FloatArray
    res: FloatArray
    off: FloatArray
    size: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evaluated:
    """A group with its columns of the tables, (p, members); ``osc (members,)`` and ``norms (p,)``, the latter
    ``‖dU(Y)‖ + max_c ‖dU(c)‖``, no smaller than they are."""

    name: str
    plan: Plan
    number: int
    A: FloatArray
    B: FloatArray
    u: FloatArray
    osc: FloatArray
    norms: FloatArray

    @classmethod
    def of(cls, circuit: Circuit, plan: Plan, split: Split, number: int) -> "_Evaluated":
        """Take a group's columns, and room for the rounding of ``dU``: off by ``4 (1 + 2f) γ max|U_i|`` at most."""
        i, f = plan.groups[number].members, len(plan.groups[number].retained)
        largest = np.abs(circuit.U[i]).max(axis=1)
        room = 16 * (1 + 2 * f) * gamma(plan.p + i.size + 4 * f + 200)
        norms = split.norm_U[number] + room * np.sqrt(largest @ largest)
        return cls(
            name=circuit.activation,
            plan=plan,
            number=number,
            A=np.ascontiguousarray(circuit.A[:, i]),
            B=np.ascontiguousarray(circuit.B[:, i]),
            u=split.u_hat[number],
            osc=up(split.osc[number] + room * largest, 8),
            norms=up(norms + norms.max(), i.size + 16),
        )

    def classes(self, block: slice) -> _Block:
        """Evaluate the neurons at all inputs of some classes."""
        plan, group, p = self.plan, self.plan.groups[self.number], self.plan.p
        d, residues, count = np.arange(block.start, block.stop), np.arange(p), group.members.size
        a = (d[:, None] + residues) % p
        y = self.A[a] + self.B
        h, error = enclosed_activation(self.name, y)
        curves, _ = enclosed_activation(self.name, plan.turned(group.A, group.frequency, block) + group.B)
        cell = (plan.cell[group.members] + plan.shifts(group.frequency)[:, None]) % plan.cells
        left = np.abs(h - curves[:, cell])
        by_neuron, by_norm = left @ self.osc, np.sqrt(np.einsum("dbi,dbi->db", left, left))
        res = np.minimum(by_neuron, by_norm * self.norms[(a + residues) % p])
        # the sum A + B is one rounding off, which the activation carries on
        moved = UNIT_ROUNDOFF * (activation_named(self.name).lipschitz or np.inf) * np.abs(y)
        return _Block(
            C=h @ self.u,
            res=up(res, 2 * count + 20),
            off=up((error + moved).max(axis=(0, 1)), 8),
            size=np.maximum(np.abs(h).max(axis=(0, 1)), np.abs(curves).max()),
        )
