"""What is not in the tensors is said by the file, its configuration, its folder or the user; or it is asked for.

What was used, by whose word, and what was assumed stands in the circuit, in certificates and at every load.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.circuits.forward import logits
from quadlens.circuits.load import load
from quadlens.circuits.native import read, write
from quadlens.circuits.provenance import LeftOut
from quadlens.cli.fit import command as fit_command
from quadlens.cli.report import command as report_command
from quadlens.errors import CheckpointError, OptionError, UnsupportedModelError
from tests.test_readers_transformers import (
    P,
    all_inputs,
    column_forward,
    column_shapes,
    gbmi_file,
    nanda_file,
    random_state,
    row_forward,
    row_shapes,
)
from tests.test_safe_loading import SETTINGS, transformer_lens  # noqa: F401  (a fixture)

N = 10
CLOCK = "model_l8k1hzciux.pt"


def one_hot(folder: Path, name: str, n: int = N, p: int = P) -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.save({"model": {"mlp.W_in": torch.randn(n, p), "mlp.W_out": torch.randn(p, n)}}, folder / name / "final.pth")
    return folder / name / "final.pth"


def pizza(folder: Path, config: dict[str, Any], apart: int = 0, sign: int = 0) -> Path:
    state = random_state(column_shapes(P * (1 + apart) + sign, 2 + sign))
    torch.save(state, folder / "model_a1.pt")
    (folder / "config_a1.json").write_text(json.dumps({"attn_coeff": 0, "act_fn": "ReLU"} | config))
    return folder / "model_a1.pt"


def test_the_activation_of_a_one_hot_network_does_not_depend_on_how_its_path_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_hot(tmp_path, f"p_{P}_dmlp_{N}_Quad_x")
    monkeypatch.chdir(path.parent)
    linked = tmp_path / "elsewhere" / f"p_{P}_dmlp_{N}_ReLU_y"
    linked.mkdir(parents=True)
    (linked / "final.pth").symlink_to(path)
    for spelled in (path, Path("final.pth"), Path("../") / path.parent.name / "final.pth", linked / "final.pth"):
        circuit = load(spelled)
        assert circuit.activation == "square"
        assert circuit.provenance.said["activation"] == f"square, by the name of its folder, p_{P}_dmlp_{N}_Quad_x"
        assert circuit.provenance.file == "final.pth"


def test_only_the_folder_that_it_lies_in_counts_and_only_if_its_sizes_are_the_network_s(tmp_path: Path) -> None:
    inner = one_hot(tmp_path / f"p_{P}_dmlp_{N}_Quad_x", f"p_{P}_dmlp_{N}_ReLU_y")
    assert load(inner).activation == "relu"
    for name in ("plain", f"p_{P + 1}_dmlp_{N}_Quad_x", f"p_{P}_dmlp_{N + 1}_Quad_x"):
        other = one_hot(tmp_path / f"p_{P}_dmlp_{N}_Quad_x", name)
        with pytest.raises(CheckpointError, match=r"does not say its activation; give it with --activation .* abs"):
            load(other)
        assert load(other, activation="gelu").provenance.said["activation"] == "gelu, by the user"
    with pytest.raises(OptionError, match="activation must be one of relu"):
        load(inner, activation="softplus")


def test_the_user_s_word_comes_first_and_what_the_others_say_is_kept(tmp_path: Path) -> None:
    path = one_hot(tmp_path, f"p_{P}_dmlp_{N}_Quad_x")
    (tmp_path / "c.json").write_text('{"act_type": "GeLU"}')
    by_config = load(path, config=tmp_path / "c.json").provenance
    assert by_config.said["activation"].startswith("gelu, by act_type of c.json; the name of its folder, p_")
    by_user = load(path, config=tmp_path / "c.json", activation="relu").provenance
    assert by_user.said["activation"] == "relu, by the user; act_type of c.json says gelu"


@pytest.mark.parametrize("key", ["config", "model_config", "cfg", "model_cfg"])
@pytest.mark.parametrize("plain", [False, True])
def test_a_configuration_is_read_under_any_of_its_keys(
    tmp_path: Path, transformer_lens: Callable[..., Any], key: str, plain: bool  # noqa: F811
) -> None:
    """Taken for ReLU, and LNPre (which has no tensors) overlooked, where the key was not ``model_config``."""
    state = random_state(row_shapes(P, 2))

    def file(**fields: Any) -> Path:
        settings = dict(SETTINGS) | {"attn_scale": 2.0} | fields
        held = {name: value for name, value in settings.items() if name not in ("device", "dtype")}
        torch.save({"model": state, key: held if plain else transformer_lens(**settings)}, tmp_path / "run.pt")
        return tmp_path / "run.pt"

    (tmp_path / "c.json").write_text('{"attention_rate": 1}')
    circuit = load(file(act_fn="gelu"), config=tmp_path / "c.json")
    assert circuit.activation == "gelu"
    assert circuit.provenance.said["activation"] == f"gelu, by act_fn of the file's {key}"
    assert circuit.provenance.said["attention"] == "1/n_ctx + 0 softmax, by attention_rate of c.json"
    with pytest.raises(CheckpointError, match="does not say its activation"):
        load(file(act_fn=None), config=tmp_path / "c.json")
    for field, value in {"normalization_type": "LNPre", "n_layers": 2, "gated_mlp": True, "final_rms": True}.items():
        with pytest.raises(UnsupportedModelError, match=f"its network has {field} = "):
            load(file(**{field: value}), config=tmp_path / "c.json")
    # with no rate anywhere, the attention is the library's own: said, and refused unless frozen
    with pytest.raises(UnsupportedModelError, match="attention depends on the input"):
        load(file())
    frozen = load(file(), freeze_attention=True)
    assert any("TransformerLens' own softmax" in sentence for sentence in frozen.provenance.assumed)


def test_two_configurations_that_differ_are_refused(tmp_path: Path) -> None:
    content = {"model": random_state(row_shapes(P, 2)), "config": {"act_fn": "relu"}, "cfg": {"act_fn": "gelu"}}
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="two configurations that say different things of 'act_fn'"):
        load(tmp_path / "a.pt")


def test_a_missing_or_null_act_fn_is_asked_for(tmp_path: Path) -> None:
    asked = "does not say its activation; give it with --activation"
    for config in ({"act_fn": None}, {}):
        path = pizza(tmp_path, config)
        if not config:
            (tmp_path / "config_a1.json").write_text('{"attn_coeff": 0}')
        with pytest.raises(CheckpointError, match=asked):
            load(path)
        assert load(path, activation="tanh").activation == "tanh"
    state = random_state(column_shapes(P + 1, 3))
    for extra in ({}, {"config": {"p": P}}, {"config": {"p": P, "act_type": None}}):
        path = nanda_file(tmp_path, state, **extra)
        with pytest.raises(CheckpointError, match=asked):
            load(path, freeze_attention=True)
    with pytest.raises(CheckpointError, match=asked):
        load(gbmi_file(tmp_path, random_state(row_shapes(P, 2)), act_fn=None))
    with pytest.raises(CheckpointError, match=asked):
        ql.from_state_dict({"mlp.W_in": torch.ones(3, 5), "mlp.W_out": torch.ones(5, 3)}, family="one-hot")


@pytest.mark.parametrize("key", ["funcs", "func"])
def test_the_task_of_a_pizza_network_is_read(tmp_path: Path, key: str) -> None:
    for written in (f"lambda x: (x[0]+x[1])%{P}", f"lambda x:(x[0] + x[1]) % {P}"):
        circuit = load(pizza(tmp_path, {key: written}))
        assert circuit.provenance.said["task"].startswith("a + b, by ")
    others = (f"(x[0]*x[1])%{P}", f"(x[0]-x[1])%{P}", f"(x[0]+x[1])%{P + 1}", f"(x[0]+2*x[1])%{P}", "x[0]", "max(x)")
    for written in others:
        with pytest.raises(UnsupportedModelError, match=r"was trained on 'lambda x: "):
            load(pizza(tmp_path, {key: f"lambda x: {written}"}))
    with pytest.raises(CheckpointError, match=f"{key} must be short text"):
        load(pizza(tmp_path, {key: ["+"]}))
    assert any("the task is a + b" in sentence for sentence in load(pizza(tmp_path, {})).provenance.assumed)


def test_the_task_of_a_linear_model_is_read(tmp_path: Path) -> None:
    state = {"embed.weight": torch.randn(P, 4), "l1.weight": torch.randn(N, 4), "l1.bias": torch.randn(N)}
    torch.save(state | {"unembed.weight": torch.randn(P, N)}, tmp_path / "model_b.pt")
    (tmp_path / "config_b.json").write_text('{"func": "lambda x: (x[0]*x[1])%7"}')
    with pytest.raises(UnsupportedModelError, match="was trained on"):
        load(tmp_path / "model_b.pt")
    (tmp_path / "config_b.json").write_text('{"func": null}')
    assert load(tmp_path / "model_b.pt").activation == "relu"


@pytest.mark.parametrize(("apart", "sign"), [(0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("lift", [0.0, 30.0])
def test_outputs_that_are_left_out_are_named_and_counted(tmp_path: Path, apart: int, sign: int, lift: float) -> None:
    """On how many inputs the answer over the file's own vocabulary is no residue, by a pass without the reader."""
    vocabulary = P * (1 + apart) + sign
    path = pizza(tmp_path, {"C": P, "diff_vocab": apart, "eqn_sign": sign}, apart, sign)
    state = torch.load(path, weights_only=True)
    state["unembed.W_U"][:, P:] *= 1 + lift
    torch.save(state, path)
    circuit = load(path)
    tokens = all_inputs(P * apart, vocabulary - 1 if sign else None)
    whole = column_forward(state, torch.relu, 0, causal=False)(tokens).numpy().reshape(P * P, -1)
    assert whole.shape[1] == vocabulary
    won = int((whole.argmax(axis=1) >= P).sum())
    names = ("the tokens of b",) * apart + ("=",) * sign
    assert circuit.provenance.left_out == LeftOut(names=names, largest_on=won)
    assert won > 0 or not lift
    certificate = ql.certify(circuit, method="brute-force")
    assert "left out, largest on" in certificate.verdict
    assert check(certificate, circuit).accepted


@pytest.mark.parametrize("biases", [False, True])
def test_a_transformer_lens_file_may_have_as_many_outputs_as_tokens(tmp_path: Path, biases: bool) -> None:
    shapes = row_shapes(P + 1, 3, biases=biases) | {"unembed.W_U": (6, P + 1)}
    if biases:
        shapes["unembed.b_U"] = (P + 1,)
    state = random_state(shapes)
    circuit = load(gbmi_file(tmp_path, state, use_end_of_sequence=True))
    whole = row_forward(state, torch.relu, 1)(all_inputs(sign=P)).numpy().reshape(P, P, P + 1)
    np.testing.assert_allclose(logits(circuit, slice(0, P)), whole[..., :P], rtol=0, atol=1e-10 * np.abs(whole).max())
    won = int((whole.argmax(axis=-1) == P).sum())
    assert circuit.provenance.left_out == LeftOut(names=("=",), largest_on=won)
    square = random_state(row_shapes(P, 2, biases=biases))
    assert load(gbmi_file(tmp_path, square)).provenance.left_out is None


def test_frozen_attention_is_data_in_circuit_certificate_and_native_file(shared: Path, tmp_path: Path) -> None:
    path = shared / "checkpoints" / "pizza" / CLOCK
    circuit, frozen = ql.circuits.load.load_measured(path, freeze_attention=True)
    assert frozen is not None
    assert circuit.provenance.frozen == frozen.record
    assert frozen.record.accuracy_before == 1.0
    assert frozen.record.accuracy_after < 0.6
    assert circuit.provenance.said["task"] == "a + b, by funcs of config_l8k1hzciux.json"
    write(circuit, tmp_path / "frozen.safetensors")
    again = read(tmp_path / "frozen.safetensors")
    assert again.provenance.frozen == frozen.record
    assert again.provenance.said["original file"] == CLOCK
    assert again.provenance.file == "frozen.safetensors"
    certificate = ql.certify(again, method="interval")
    assert certificate.provenance is not None
    assert certificate.provenance.frozen == frozen.record
    assert check(certificate, circuit).reasons == check(certificate, again).reasons
    silent = replace(certificate, provenance=None)
    assert "does not say that attention was frozen" in check(silent, circuit).reasons[0]


def test_a_load_prints_what_was_said_and_assumed_and_json_has_it(tmp_path: Path) -> None:
    path = one_hot(tmp_path, f"p_{P}_dmlp_{N}_Quad_x")
    printed = CliRunner().invoke(fit_command, [str(path)])
    assert printed.exit_code == 0, printed.output
    text = " ".join(printed.output.split())
    assert f"activation: square, by the name of its folder, p_{P}_dmlp_{N}_Quad_x" in text
    assert "assumed: the task is a + b: nothing beside the tensors says it" in text
    given = CliRunner().invoke(fit_command, [str(path), "--activation", "abs", "--json"])
    said = json.loads(given.output)["provenance"]
    assert said["said"]["activation"].startswith("abs, by the user; the name of its folder")
    assert said["file"] == "final.pth"
    plain = one_hot(tmp_path, "plain")
    refused = CliRunner().invoke(fit_command, [str(plain)])
    assert isinstance(refused.exception, CheckpointError)
    assert "--activation" in str(refused.exception)


def test_the_report_says_it(tmp_path: Path) -> None:
    path = one_hot(tmp_path, f"p_{P}_dmlp_{N}_ReLU_x")
    done = CliRunner().invoke(report_command, [str(path), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert re.search(r"relu, by the name of its folder, p_7_dmlp_10_ReLU_x", page)
    assert "nothing beside the tensors says it" in page
    assert json.loads((tmp_path / "out" / "report.json").read_text())["provenance"]["file"] == "final.pth"
    assert str(tmp_path) not in page


def test_a_native_file_says_its_activation_itself(tmp_path: Path) -> None:
    write(ql.construct(p=7, frequencies=(1,), neurons=8), tmp_path / "c.safetensors")
    assert load(tmp_path / "c.safetensors", activation="relu").activation == "relu"
    for mapped in (False, True):
        with pytest.raises(CheckpointError, match="its activation is relu, not abs; leave the activation out"):
            load(tmp_path / "c.safetensors", activation="abs", mapped=mapped)


def test_a_name_that_acts_on_terminals_is_kept_harmless_and_no_folder_of_this_machine_is_stored(tmp_path: Path) -> None:
    path = one_hot(tmp_path, f"p_{P}_dmlp_{N}_ReLU_x")
    odd = path.with_name("\x1b[31m back\\slash \u202e.pth")
    path.rename(odd)
    circuit = load(odd)
    assert circuit.provenance.file == r"\x1b[31m back\slash \u202e.pth"
    write(circuit, tmp_path / "n.safetensors")
    content = (tmp_path / "n.safetensors").read_bytes()
    assert str(tmp_path).encode() not in content
    assert read(tmp_path / "n.safetensors").provenance.said["original file"] == circuit.provenance.file
