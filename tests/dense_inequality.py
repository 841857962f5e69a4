"""The inequality of docs/certificates.md once more, by sums over all inputs and neurons in float64.

Written from the text alone, to be compared with the checker and the provers; it bounds no rounding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.circuits.circuit import Circuit


def random_plan(generator: np.random.Generator, p: int, n: int, *, evaluate: float = 0.5) -> dict[str, Any]:
    """Return a valid plan that has nothing to do with a network; a share ``evaluate`` of the neurons is evaluated."""
    grid, scale, parts = int(generator.integers(1, 6)), 2**20, int(generator.integers(1, min(n, p, 3) + 1))
    G = grid * p
    retained = chosen(generator, range(1, p // 2 + 1), 0.6) or [1]

    def curve() -> list[int]:
        wave = np.cos(2 * np.pi * np.arange(G) / G) + 0.2 * generator.standard_normal(G)
        return [int(x) for x in np.rint(scale * wave)]

    groups = []
    for _ in range(parts):
        A, B = curve(), curve()
        largest = max(map(abs, A)) + max(map(abs, B))
        kept = chosen(generator, retained, 0.6)
        groups.append({"frequency": int(generator.integers(0, p)), "A": A, "B": B, "retained": kept, "level": largest})
    harmonics = int(generator.integers(0, min((G - 1) // 2, 8) + 1))
    return {
        "grid": grid,
        "scale": scale,
        "cell": generator.integers(0, G, n).tolist(),
        "amplitude": [float(np.float32(r)) for r in generator.uniform(0, 2, n) * (generator.random(n) > 0.1)],
        "group": generator.integers(0, parts, n).tolist(),
        "groups": groups,
        "bounded": chosen(generator, range(n), 1 - evaluate),
        "harmonics": harmonics,
        "head": int(generator.integers(0, harmonics + 1)),
        "retained": retained,
        "pairs": [chosen(generator, range(1, p), 0.4) for _ in range(p)],
    }


def fitting_pair(generator: np.random.Generator, p: int, n: int, activation: str) -> tuple[Circuit, dict[str, Any]]:
    """Return a network that follows the curves of a random plan up to noise, and the plan with levels that settle."""
    plan = random_plan(generator, p, n)
    tables = {}
    for name in ("A", "B"):
        columns = [plan["amplitude"][i] * curve_values(plan, p, i, name) for i in range(n)]
        tables[name] = np.stack(columns, axis=1) + 0.1 * generator.standard_normal((p, n))
    shapes = {"U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables |= {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    circuit = Circuit(p=p, activation=activation, **tables)
    plan["bounded"] = [i for i in plan["bounded"] if plan["amplitude"][i] > 0.3]
    for name, group in enumerate(plan["groups"]):
        bounded = [i for i in plan["bounded"] if plan["group"][i] == name]
        need = [residual_need(circuit, plan, i) / plan["amplitude"][i] for i in bounded]
        group["level"] = int(np.ceil(1.01 * plan["scale"] * max(need, default=0)))
    return circuit, plan


def chosen(generator: np.random.Generator, values: Any, share: float) -> list[int]:
    return [int(x) for x in values if generator.random() < share]


def curve_values(plan: dict[str, Any], p: int, i: int, name: str) -> Any:
    """Return ``W[c_i + g·k·x]`` of a neuron, by x."""
    group = plan["groups"][plan["group"][i]]
    cells = (plan["cell"][i] + plan["grid"] * group["frequency"] * np.arange(p)) % len(group[name])
    return np.array(group[name])[cells] / plan["scale"]


def residual_need(circuit: Circuit, plan: dict[str, Any], i: int) -> float:
    """Return ``Δ_i``."""
    apart = [
        table[:, i] - plan["amplitude"][i] * curve_values(plan, circuit.p, i, name)
        for table, name in ((circuit.A, "A"), (circuit.B, "B"))
    ]
    return max(sum(float(np.maximum(sign * x, 0).max()) for x in apart) for sign in (-1, 1))


@dataclass(frozen=True, kw_only=True)
class Dense:
    """``L[d, δ]`` and ``G[d, b, δ]`` (δ = 0 is meaningless), and the terms by their names."""

    L: Any
    G: Any
    terms: dict[str, Any]


def evaluate(circuit: Circuit, plan: dict[str, Any], alpha: float) -> Dense:
    """Return both inequalities without the rounding term."""
    p, n, omega = circuit.p, circuit.neurons, 2 * np.pi / circuit.p
    A, B, U = circuit.A, circuit.B, circuit.U
    g, G, M, head = plan["grid"], plan["grid"] * p, plan["harmonics"], plan["head"]
    r, cell, group = (np.array(plan[name]) for name in ("amplitude", "cell", "group"))
    bounded = np.isin(np.arange(n), plan["bounded"])
    W = {t: np.array([part[t] for part in plan["groups"]]) / plan["scale"] for t in ("A", "B")}
    level = np.array([part["level"] for part in plan["groups"]])[group] / plan["scale"]
    k = np.array([part["frequency"] for part in plan["groups"]])[group]
    z = np.array(plan["retained"])
    c = np.arange(p)

    def h(y):
        return np.where(y > 0, y, alpha * y)

    # retained outputs
    nu = np.where(2 * z == p, 1, 2)
    transform = np.exp(-1j * omega * np.outer(c, z)) * nu / p
    hat = {"U": U @ transform, "a": circuit.S_a @ transform, "b": circuit.S_b @ transform}
    kept = np.array([[x in part["retained"] for x in z] for part in plan["groups"]])
    hat["U"] = hat["U"] * kept[group]
    waves = np.exp(1j * omega * np.outer(z, c))
    UF = (hat["U"] @ waves).real
    dU, dS_a, dS_b = U - UF, circuit.S_a - (hat["a"] @ waves).real, circuit.S_b - (hat["b"] @ waves).real
    V, osc = np.ptp(UF, axis=1), np.ptp(dU, axis=1)

    # gates
    curve = {t: W[t][group, (cell + g * k * c[:, None]) % G] for t in ("A", "B")}
    dA, dB = A - r * curve["A"], B - r * curve["B"]
    H = curve["A"][:, None] + curve["B"][None]
    y = A[:, None] + B[None]
    kappa = 1 - alpha
    near = bounded & (np.abs(H) <= level)
    pos = np.maximum
    on = H > 0
    rho = np.where(on, pos(-dA, 0)[:, None] + pos(-dB, 0)[None], pos(dA, 0)[:, None] + pos(dB, 0)[None]) * near
    eta = []
    for part in (np.broadcast_to(dA[:, None], y.shape), np.broadcast_to(dB[None], y.shape)):
        off = abs(alpha) * np.abs(part) + (1 - abs(alpha)) * pos(part, 0) * near
        eta.append(np.where(on, np.abs(part), off))
    x = (1 - abs(alpha)) * y * (~bounded & ~on & (y > 0))
    taken = np.where(bounded, np.where(on, y, alpha * y) + kappa / 2 * rho, h(y))
    C = taken @ hat["U"] + hat["a"][:, None] + hat["b"][None]
    R = kappa / 2 * (rho @ V)

    # rest of U
    res, D, Dh, tail = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p)), np.zeros(p)
    known = np.zeros((p, p, p))
    answer = (c[:, None] + c) % p
    mu = np.where(np.arange(M + 1) == 0, 1, 2)
    for name, part in enumerate(plan["groups"]):
        i = np.flatnonzero(group == name)
        norm = np.sqrt((dU[i] ** 2).sum(axis=0))
        plain = (eta[0][..., i] + eta[1][..., i] + x[..., i]) @ osc[i]
        size = sum(np.sqrt((e[..., i] ** 2).sum(axis=-1)) for e in (*eta, x))
        res += np.minimum(plain, size * (norm[answer] + norm.max()))
        Q = (np.exp(2j * np.pi * np.outer(np.arange(M + 1), cell[i]) / G) * r[i]) @ dU[i]
        O = np.array([np.abs(Q - np.roll(Q, -delta, axis=1)).max(axis=1) for delta in range(p)])
        q = np.zeros((G, p))
        np.add.at(q, cell[i], r[i, None] * dU[i])
        for d in range(p):
            P = h(np.roll(W["A"][name], -g * part["frequency"] * d) + W["B"][name])
            P_hat = np.fft.fft(P) / G
            sizes = mu * np.abs(P_hat[: M + 1])
            D[d] += O @ sizes
            Dh[d] += O[:, head + 1 :] @ sizes[head + 1 :]
            tail[d] += 2 * np.sqrt(G * (np.abs(P_hat[M + 1 : G - M]) ** 2).sum()) * np.sqrt((q**2).sum(axis=0).max())
            for b in range(p):
                turn = np.exp(2j * np.pi * np.arange(head + 1) * g * part["frequency"] * b / G)
                known[d, b] += ((mu * P_hat[: M + 1])[: head + 1] * turn @ Q[: head + 1]).real

    # the inequalities
    L, Gs = np.zeros((p, p)), np.zeros((p, p, p))
    skips = np.zeros((p, p))
    delta = np.arange(p)
    chord = np.abs(1 - np.exp(1j * omega * np.outer(z, delta)))
    for d in range(p):
        b = np.arange(p)
        a = (d + b) % p
        Y = (a + b) % p
        X = C[a, b] * np.exp(1j * omega * np.outer(Y, z))
        Z = X.mean(axis=0)
        e = np.abs(X - Z)
        skip = dS_a[a].max(axis=1) - dS_a[a, Y] + dS_b[b].max(axis=1) - dS_b[b, Y]
        skips[d] = skip
        T = (R[a, b] + res[a, b] + skip).max()
        turn = 1 - np.exp(1j * omega * np.outer(z, delta))
        lost = np.minimum(e.max(axis=0) @ chord, np.sqrt((e**2).sum(axis=1).max()) * np.sqrt((chord**2).sum(axis=0)))
        L[d] = (Z @ turn).real - lost - T - D[d] - tail[d]
        for j in range(p):
            wrong = (Y + j) % p
            rest = dS_a[a, Y] - dS_a[a, wrong] + dS_b[b, Y] - dS_b[b, wrong]
            rest = rest + known[d, b, Y] - known[d, b, wrong]
            Gs[d, :, j] = (X @ turn[:, j]).real + rest - Dh[d, j] - tail[d] - res[a, b] - R[a, b]
    terms = {"C": C, "R": R, "res": res, "D": D, "D_head": Dh, "tail": tail, "skip": skips, "x": x, "rho": rho}
    return Dense(L=L, G=Gs, terms=terms)
