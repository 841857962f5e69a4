"""The float32 line: no float32 forward pass of the stored weights is further off than the bound."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest

import quadlens as ql
from benchmarks import float32 as campaign
from quadlens.certificates.check import check
from quadlens.certificates.record.float32 import evaluation, float32_margin_error
from quadlens.checker.float32 import float32_error_ball
from quadlens.checker.tables import PRECISION, ball_network
from tests.float32_passes import by_torch, forward, sequential, shuffled, spread

SHARED = Path(__file__).parents[2] / "shared" / "checkpoints"
NETWORKS = (
    *(Path(ql.__file__).parent / "circuits" / "models").glob("p*.safetensors"),
    *SHARED.glob("gbmi/*.pth"),
    *SHARED.glob("pizza/model_[pq]*.pt"),
    *SHARED.glob("one-hot/*ReLU*/final.pth"),
    SHARED / "quadlens" / "p59-relu-27.safetensors",
)


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem[:30])
def test_no_forward_pass_is_further_off(path):
    circuit = ql.load(path)
    error = float32_margin_error(circuit)
    assert error is not None
    for dot in (np.matmul, shuffled, by_torch, *((sequential,) if circuit.p < 30 else ())):
        assert 0 < spread(circuit, forward(circuit, dot)) <= error


def many_heads(tmp_path: Path) -> tuple[ql.Circuit, dict[str, Any]]:
    """64 heads whose terms absorb each other: torch is wrong on 3 of 9 inputs."""
    import torch

    p, heads, width, d = 3, 64, 64, 11
    n, t = heads * width, 2.0**-24
    Z = torch.zeros
    E, pos, WU, WV, WO = Z(d, p), Z(2, d), Z(d, p), Z(heads, width, d), Z(d, n)
    W_in, b_in, W_out, b_out = Z(9, d), -torch.ones(9), Z(d, 9), Z(d)
    pos[0, 6] = WU[7, 0] = 1
    for s in range(n - 3):
        WV[s // width, s % width, 6], WO[7, s] = 1, t if s else 1
    b_out[7] = -(1 + (n - 4) * t)
    for i in range(p):
        s = n - 3 + i
        E[i, i] = WU[8 + i, i] = WV[s // width, s % width, i] = WO[3 + i, s] = 1
        for j in range(p):
            m = 3 * i + j
            W_in[m, 3 + i] += 1
            W_in[m, i] -= 1
            W_in[m, j] += 1
            W_out[8 + (i + j) % p, m] = 1.8e-4
    block = "blocks.0."
    attention = {"W_Q": Z(heads, width, d), "W_K": Z(heads, width, d), "W_V": WV, "W_O": WO}
    mlp = {"W_in": W_in, "b_in": b_in, "W_out": W_out, "b_out": b_out}
    state = {"embed.W_E": E, "pos_embed.W_pos": pos, "unembed.W_U": WU}
    state |= {f"{block}attn.{name}": value for name, value in attention.items()}
    state |= {f"{block}mlp.{name}": value for name, value in mlp.items()}
    torch.save(state, tmp_path / "model_s1.pt")
    config = {"C": p, "n_heads": heads, "d_model": d, "d_head": width, "act_fn": "ReLU", "attn_coeff": 0.0}
    (tmp_path / "config_s1.json").write_text(json.dumps(config))
    return ql.load(tmp_path / "model_s1.pt")


def test_all_heads_are_one_sum(tmp_path):
    circuit = many_heads(tmp_path)
    off = spread(circuit, forward(circuit, sequential))
    error = float32_margin_error(circuit)
    assert error is not None
    assert 1e-4 < off <= error
    certificate = ql.certify(circuit, method="exact")
    assert certificate.certified
    assert certificate.float32.startswith("float32: not known")
    assert check(certificate, circuit).accepted


def absorbing(n: int = 300) -> ql.Circuit:
    """Each logit adds n − 1 numbers to 1 that a sequential sum loses; margins hold them whole."""
    A = np.full((3, n), 2.0**-24)
    A[:, 0] = 1
    U = np.zeros((n, 3))
    U[:, 0] = 1
    tensors = {"A": A, "B": np.zeros((1, n)), "U": U}
    tables = {name: (ql.Product(factors=(name,)),) for name in tensors}
    return ql.circuit_from_weights(ql.Weights(p=3, neurons=n, tensors=tensors, tables=tables))


def test_the_bound_is_near_a_worst_case():
    circuit = absorbing()
    error = float32_margin_error(circuit)
    off = spread(circuit, forward(circuit, sequential))
    assert error is not None
    # every number is 1/n of the sum's rounding errors here, and the bound counts all n for each: a factor of 2
    assert off <= error <= 2.5 * off


@pytest.mark.parametrize("seed", range(12))
def test_prover_and_checker_find_the_same(seed):
    generator = np.random.default_rng(seed)
    heads, d, width, n, p = int(generator.integers(1, 4)), 5, 3, 7, 4
    tensors = {"E": generator.standard_normal((p, d)), "W_in": generator.standard_normal((d, n))}
    tensors |= {"W_out": generator.standard_normal((n, d)), "W_U": generator.standard_normal((d, p))}
    tensors |= {"pos": generator.standard_normal((1, d)), "b_in": generator.standard_normal((1, n))}
    attended = []
    for h in range(heads):
        tensors |= {f"V{h}": generator.standard_normal((d, width)), f"O{h}": generator.standard_normal((width, d))}
        attended.append(("E", f"V{h}", f"O{h}"))
    third = Fraction(1, 3) if seed % 2 else Fraction(1)
    from_a = [ql.Product(factors=(*names, "W_in"), coefficient=third) for names in attended]
    skips = [ql.Product(factors=(*names, "W_U"), coefficient=third) for names in attended]
    tables = {
        "A": tuple(from_a),
        "B": (
            *from_a,
            ql.Product(factors=("E", "W_in")),
            ql.Product(factors=("pos", "W_in")),
            ql.Product(factors=("b_in",)),
        ),
        "U": (ql.Product(factors=("W_out", "W_U")),),
        "S_a": tuple(skips),
        "S_b": (*skips, ql.Product(factors=("E", "W_U"))),
    }
    activation = "abs" if seed % 3 == 0 else "relu"
    weights = ql.Weights(p=p, neurons=n, tensors=tensors, tables=tables, activation=activation)
    circuit = ql.circuit_from_weights(weights)
    error = float32_margin_error(circuit)
    with flint.ctx.workprec(PRECISION):
        own = float32_error_ball(ball_network(circuit))
    assert error is not None
    assert own is not None
    assert own <= error <= own * (1 + 1e-10)
    assert spread(circuit, forward(circuit, sequential)) <= error


def test_a_network_without_a_table_is_bounded():
    tensors = {"S": np.eye(3)}
    circuit = ql.circuit_from_weights(
        ql.Weights(p=3, neurons=2, tensors=tensors, tables={"S_a": (ql.Product(factors=("S",)),)})
    )
    error = float32_margin_error(circuit)
    with flint.ctx.workprec(PRECISION):
        own = float32_error_ball(ball_network(circuit))
    assert error is not None
    assert own <= error < 1e-30
    certificate = ql.certify(circuit, method="exact")
    assert check(certificate, circuit).accepted


@pytest.mark.parametrize("scale", [1e-39, 1e39, 1e200])
def test_nothing_is_claimed_where_float32_has_no_number(scale):
    base = absorbing()
    tables = {name: scale * getattr(base, name) for name in ("A", "B")}
    circuit = ql.Circuit(p=3, U=base.U, **tables)
    error = float32_margin_error(circuit)
    with flint.ctx.workprec(PRECISION):
        own = float32_error_ball(ball_network(circuit))
    if scale < 1:
        assert error is not None
        assert own <= error
        assert error > scale  # all of it may be flushed to zero
    else:
        assert error is None
        assert own is None


def test_a_claim_below_the_checkers_own_is_refused(tmp_path):
    circuit = many_heads(tmp_path)
    certificate = ql.certify(circuit, method="exact")
    assert certificate.float32_error is not None
    lower = replace(certificate, float32_error=certificate.float32_error * (1 - 1e-9))
    assert "the float32 error is claimed to be at most" in check(lower, circuit).reasons[0]


def test_the_campaign_finds_a_bound_that_is_too_small_and_no_other(monkeypatch):
    """That of the tables; with subnormal numbers flushed by torch, too, in a process of its own."""
    bound = campaign.float32_margin_error
    part = {"weights": 1.0, "tables": 0.01}
    monkeypatch.setattr(campaign, "float32_margin_error", lambda circuit: part[evaluation(circuit)] * bound(circuit))
    counts = campaign.campaign(10, seed=1)
    assert all(count["bounded"] == 2 and count["passes"] == 56 for count in counts.values())
    assert counts["subnormal"]["flushed"] > 0
    assert {name for name, count in counts.items() if count["violations"]} == {"tables"}
