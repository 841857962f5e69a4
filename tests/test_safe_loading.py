"""What the loading path promises beside its refusals: the version of torch, ``weights_only``, nothing left behind."""

import pickletools
import struct
import sys
import types
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits import native
from quadlens.circuits.limits import ALLOWANCES, Budget, Limits
from quadlens.circuits.load import load
from quadlens.circuits.pickle_scan import scan_pickle
from quadlens.circuits.safe_torch import float_array
from quadlens.circuits.torch_zip import clean_archive
from quadlens.errors import CheckpointError, DependencyError, UnsupportedModelError
from quadlens.untrusted_text import is_plain, one_line, shown

P, D, HEADS, D_HEAD, D_MLP = 5, 4, 2, 2, 6


def one_hot(folder: Path) -> Path:
    state = {"mlp.W_in": torch.ones(D_MLP, P), "mlp.W_out": torch.ones(P, D_MLP)}
    said = folder / f"p_{P}_dmlp_{D_MLP}_ReLU_x"
    said.mkdir()
    torch.save({"model": state}, said / "net.pth")
    return said / "net.pth"


@pytest.mark.parametrize("version", ["2.9.1", "1.13", "2.9.1+cu121", "0.10", "nightly"])
def test_an_old_torch_is_refused_at_run_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    path = one_hot(tmp_path)
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(DependencyError, match=r"needs torch >= 2\.10 .* got .*; upgrade torch"):
        load(path)


@pytest.mark.parametrize("version", ["2.10.0", "2.13.1+cpu", "3.0"])
def test_a_new_enough_torch_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    path = one_hot(tmp_path)
    monkeypatch.setattr(torch, "__version__", version)
    assert load(path).p == P


def test_torch_loads_weights_only_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = one_hot(tmp_path)
    calls = []

    def refuse(*_: Any, **options: Any) -> None:
        calls.append(options)
        raise RuntimeError("not today")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(CheckpointError, match="not a readable checkpoint: RuntimeError not today"):
        load(path)
    assert [options["weights_only"] for options in calls] == [True]


@pytest.fixture
def transformer_lens(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a maker of pickled configurations like those of the library, which is gone again when they are read."""
    name = "transformer_lens.HookedTransformerConfig"
    module = types.ModuleType(name)
    config = type("HookedTransformerConfig", (), {"__module__": name})
    module.HookedTransformerConfig = config  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformer_lens", types.ModuleType("transformer_lens"))
    monkeypatch.setitem(sys.modules, name, module)

    def make(**fields: Any) -> Any:
        made = config()
        made.__dict__.update(fields)
        return made

    return make


def gbmi(folder: Path, config: Any) -> Path:
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (P, D),
        "pos_embed.W_pos": (2, D),
        **{f"blocks.0.attn.W_{name}": (HEADS, D, D_HEAD) for name in "QKV"},
        "blocks.0.attn.W_O": (HEADS, D_HEAD, D),
        "blocks.0.mlp.W_in": (D, D_MLP),
        "blocks.0.mlp.b_in": (D_MLP,),
        "blocks.0.mlp.W_out": (D_MLP, D),
        "blocks.0.mlp.b_out": (D,),
        "unembed.W_U": (D, P),
    }
    state = {name: torch.ones(shape) for name, shape in shapes.items()}
    run = {"experiment": {"p": P, "attention_rate": 1}}
    torch.save({"model": state, "model_config": config, "run_config": run}, folder / "run.pth")
    return folder / "run.pth"


SETTINGS = {
    "n_layers": 1, "act_fn": "gelu", "normalization_type": None, "attn_scale": np.float64(D_HEAD**0.5),
    "device": torch.device("cpu"), "dtype": torch.float32, "attn_only": False, "output_logits_soft_cap": -1.0,
}


def test_a_pickled_configuration_is_read_without_its_library_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transformer_lens: Callable[..., Any]
) -> None:
    path = gbmi(tmp_path, transformer_lens(**SETTINGS))
    monkeypatch.delitem(sys.modules, "transformer_lens")
    monkeypatch.delitem(sys.modules, "transformer_lens.HookedTransformerConfig")
    before = set(torch.serialization.get_safe_globals())  # torch keeps a set: their order means nothing
    assert load(path).activation == "gelu"
    assert set(torch.serialization.get_safe_globals()) == before
    assert not [name for name in sys.modules if name.startswith("transformer_lens")]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_layers": 2}, "n_layers = 2, not supported"),
        ({"normalization_type": "LNPre"}, "normalization_type = 'LNPre', not supported"),
        ({"gated_mlp": True}, "gated_mlp = True"),
        ({"parallel_attn_mlp": True}, "parallel_attn_mlp = True"),
        ({"positional_embedding_type": "rotary"}, "positional_embedding_type = 'rotary'"),
        ({"output_logits_soft_cap": 30.0}, "output_logits_soft_cap = 30.0"),
        ({"attn_scores_soft_cap": float("nan")}, "attn_scores_soft_cap = nan"),
        ({"act_fn": "solu_ln"}, "activation 'solu_ln' is not supported"),
    ],
)
def test_a_pickled_configuration_of_another_network_is_refused(
    tmp_path: Path, transformer_lens: Callable[..., Any], setting: dict[str, Any], message: str
) -> None:
    path = gbmi(tmp_path, transformer_lens(**{**SETTINGS, **setting}))
    with pytest.raises(UnsupportedModelError, match=message):
        load(path)


def test_tensors_in_place_of_settings_are_not_compared(tmp_path: Path, transformer_lens: Callable[..., Any]) -> None:
    path = gbmi(tmp_path, transformer_lens(n_layers=torch.ones(2)))
    with pytest.raises(CheckpointError, match="model_config holds n_layers that are not plain values"):
        load(path)


def test_a_bare_pickle_is_named_as_one(tmp_path: Path) -> None:
    torch.save({"model": {}}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(
        CheckpointError, match=r"is a bare pickle, which could run code; save it again with torch\.save"
    ):
        load(tmp_path / "old.pt")


def test_every_operation_that_a_checkpoint_uses_is_known_to_the_scan(shared: Path) -> None:
    """Nothing that torch itself writes is refused: the scan reads the pickles of real checkpoints to the end."""
    import zipfile

    files = [*(shared / "checkpoints").rglob("*.pt"), *(shared / "checkpoints").rglob("*.pth")]
    assert len(files) >= 4
    for path in files:
        with zipfile.ZipFile(path) as archive:
            (name,) = (entry for entry in archive.namelist() if entry.endswith("data.pkl"))
            pickle = archive.read(name)
            sizes = {entry.filename.split("/")[-1]: entry.file_size for entry in archive.infolist()}
        items, plain = scan_pickle(pickle, sizes, Budget(where="a real checkpoint"))
        assert items > 20_000
        assert plain == pickle
        assert len(list(pickletools.genops(pickle))) > 50


def overlapping_entries(count: int, kernel: bytes) -> bytes:
    """Return a zip file each of whose entries holds all that come after it: stored plain, and large all the same."""
    body, listed = kernel, []
    for name in [b"archive/data.pkl", *(b"archive/data/%d" % index for index in range(count - 1))]:
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(body), len(body), len(body), len(name), 0)
        listed.append((name, fields, len(body)))
        body = b"PK\x03\x04" + fields + name + body
    directory = b"".join(
        b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body) - held - 30 - len(name)) + name
        for name, fields, held in listed
    )
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)


def test_zip_entries_that_overlap_count_in_full() -> None:
    """What they hold together is compared with the limit, not what the file holds."""
    content = overlapping_entries(40, bytes(10_000))
    assert len(content) < 20_000
    with pytest.raises(CheckpointError, match=r"its zip entries hold 1[0-9]{5} bytes of zip content, more than"):
        clean_archive(content, Budget(where="it", limits=Limits(max_bytes=100_000)))


def test_a_pickle_is_no_longer_than_any_checkpoint_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALLOWANCES, "bytes of pickle", 100)
    with pytest.raises(CheckpointError, match=r"data\.pkl has \d+ bytes of pickle, more than the limit of 100;"):
        load(one_hot(tmp_path))


def test_an_encrypted_entry_is_named_as_one(tmp_path: Path) -> None:
    content = bytearray(one_hot(tmp_path).read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(CheckpointError, match=r"zip entry 'net/data\.pkl' is encrypted"):
        clean_archive(bytes(content), Budget(where="it"))


def test_a_tensor_with_a_behaviour_of_its_own_is_refused() -> None:
    class Odd(torch.Tensor):
        pass

    with pytest.raises(CheckpointError, match="it must be a plain tensor, got Odd"):
        float_array(torch.ones(2, 3).as_subclass(Odd), "it")


@pytest.mark.parametrize("kind", ["torch", "native"])
def test_half_precision_counts_as_the_float64_that_it_becomes(tmp_path: Path, kind: str) -> None:
    """A file within the limit may hold numbers that are four times as large in memory."""
    path = tmp_path / "half"
    state = {"mlp.W_in": torch.ones(3000, P).half(), "mlp.W_out": torch.ones(P, 3000).half()}
    torch.save({"model": state}, path)
    if kind == "native":
        native.write(load(path, activation="relu"), path)
    size = path.stat().st_size
    with pytest.raises(CheckpointError, match=r"its tensors need (12|24)0000 bytes of float64 tensors, more"):
        load(path, max_bytes=size, activation="relu")
    assert load(path, max_bytes=1_000_000, activation="relu").neurons == 3000


def test_text_from_files_is_harmless_on_a_terminal() -> None:
    assert one_line("a\x1b[31mb\n\u202e\udc80é") == r"a\x1b[31mb\n\u202e\udc80é"
    assert one_line("x" * 500, 21) == "x" * 10 + "…" + "x" * 10
    assert is_plain("ψ = 2φ, p = 59 ≤ 60")
    assert not any(is_plain(text) for text in ("\n", "\x1b", "\x7f", "\x9b", "\u2028", "\u200b", "\ue000", "\ud800"))


def test_structures_from_files_are_never_written_out() -> None:
    endless: list[Any] = []
    for _ in range(100):
        endless = [endless, endless]
    assert shown(endless) == "a value of type list"
    assert [shown(value) for value in (None, True, 2, 0.5, "a\n")] == ["None", "True", "2", "0.5", "'a\\n'"]
