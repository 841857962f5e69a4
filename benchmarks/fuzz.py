"""Coverage-guided fuzzing of what reads a stranger's file: ``python -m benchmarks.fuzz TARGET --minutes 30``.

Needs atheris (``pip install atheris``). Each target is given bytes, and must either succeed or raise a
``QuadlensError``, without a warning, in under five seconds and a gigabyte; whatever else happens stops the run and
leaves the bytes in ``--corpus``.

    native       the content of a native safetensors file
    torch        the pickle of a torch checkpoint, in a zip file whose checksums are right
    zip          the zip file of a torch checkpoint
    config       the JSON file beside a checkpoint, for every family
    certificate  a certificate, checked against a small circuit: one that is accepted must be true
"""

import argparse
import io
import json
import pickletools
import random
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS_PER_INPUT = 5
MEGABYTES = 1024
P, NEURONS = 5, 8

Target = Callable[[bytes], None]


def _state(torch: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"mlp.W_in": (NEURONS, P), "mlp.W_out": (P, NEURONS)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def _transformer_state(torch: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "embed.W_E": (4, P),
        "pos_embed.W_pos": (2, 4),
        "unembed.W_U": (4, P),
        **{f"blocks.0.attn.W_{name}": (2, 2, 4) for name in "QKV"},
        "blocks.0.attn.W_O": (4, 4),
        "blocks.0.mlp.W_in": (NEURONS, 4),
        "blocks.0.mlp.b_in": (NEURONS,),
        "blocks.0.mlp.W_out": (4, NEURONS),
        "blocks.0.mlp.b_out": (4,),
    }
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def _saved(torch: Any, content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def native() -> tuple[Target, list[bytes]]:
    import torch

    from quadlens.circuits.construct import construct
    from quadlens.circuits.in_memory import from_state_dict
    from quadlens.circuits.limits import Budget, Limits
    from quadlens.circuits.native import encode, from_bytes

    limits = Limits(max_bytes=2**22)
    circuits = [
        construct(p=P, frequencies=(1, 2), neurons=NEURONS, noise=0.1),
        from_state_dict(_transformer_state(torch), family="pizza", attention="ones", activation="relu"),
    ]

    def read(data: bytes) -> None:
        _use(from_bytes(data, "fuzzed", Budget(where="fuzzed", limits=limits)))

    return read, [encode(circuit) for circuit in circuits]


def torch() -> tuple[Target, list[bytes]]:
    import torch as library

    read = _torch_reader()
    contents = [
        {"model": _state(library), "train_loss": 0.5, "optimizer": {"state": {}, "betas": (0.9, 0.98)}},
        {"state_dict": {f"model.{name}": t for name, t in _transformer_state(library).items()}},
        {"model": _transformer_state(library), "run_config": {"experiment": {"attention_rate": 1, "p": P}}},
        {"state_dicts": [_transformer_state(library)], "config": {"p": P, "act_type": "ReLU"}},
        _state(library) | {"mlp.basis": library.nn.Parameter(library.ones(2, 2))},
    ]
    archives = [_saved(library, content) for content in contents]
    # the storages of the largest checkpoint serve for every pickle
    with zipfile.ZipFile(io.BytesIO(max(archives, key=len))) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    pickles = []
    for content in archives:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            pickles.append(archive.read("archive/data.pkl"))

    def wrapped(data: bytes) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            for name, content in (entries | {"archive/data.pkl": data}).items():
                made.writestr(name, content)
        read(buffer.getvalue())

    return wrapped, pickles


def zip_file() -> tuple[Target, list[bytes]]:
    import torch as library

    return _torch_reader(), [
        _saved(library, {"model": _state(library)}),
        _saved(library, _transformer_state(library)),
    ]


def config() -> tuple[Target, list[bytes]]:
    import torch as library

    from quadlens.circuits.limits import Budget, Limits
    from quadlens.circuits.load import circuit_of_tree
    from quadlens.circuits.readers.settings import Settings
    from quadlens.circuits.strict_json import parse_object

    states = {"pizza": _transformer_state(library), "one-hot": _state(library)}
    states["nanda"] = {"model": states["pizza"]}  # type: ignore[dict-item]
    states["linear"] = {
        "embed.weight": library.ones(P, 4),
        "l1.weight": library.ones(NEURONS, 4),
        "l1.bias": library.ones(NEURONS),
        "unembed.weight": library.ones(P, NEURONS),
    }
    states["gbmi"] = states["pizza"] | {
        **{f"blocks.0.attn.W_{name}": library.ones(2, 4, 2) for name in "QKV"},
        "blocks.0.attn.W_O": library.ones(2, 2, 4),
        "embed.W_E": library.ones(P, 4),
        "blocks.0.mlp.W_in": library.ones(4, NEURONS),
        "blocks.0.mlp.W_out": library.ones(NEURONS, 4),
    }

    def read(data: bytes) -> None:
        settings = parse_object(data, "fuzzed")
        for family, tree in states.items():
            with _expected():
                circuit, _ = circuit_of_tree(
                    dict(tree),
                    family,
                    Settings(config=settings),
                    freeze_attention=True,
                    budget=Budget(where="fuzzed", limits=Limits(max_bytes=2**22)),
                    source="fuzzed",
                )
                _use(circuit)

    seeds = [
        {
            "C": P,
            "n_layers": 1,
            "act_fn": "ReLU",
            "attn_coeff": 0.5,
            "diff_vocab": False,
            "eqn_sign": 0,
            "n_heads": 2,
        },
        {"experiment": {"p": P, "attention_rate": 1, "act_fn": "gelu", "use_end_of_sequence": False}, "seed": 1},
        {"p": P, "act_type": "Quad", "fn_name": "add", "num_layers": 1, "use_ln": False},
        {"C": P, "model_type": "A", "n_vocab": P, "func": None},
    ]
    return read, [json.dumps(seed).encode() for seed in seeds]


def certificate() -> tuple[Target, list[bytes]]:
    from quadlens.certificates.certify import certify
    from quadlens.certificates.check import check
    from quadlens.certificates.record.file import from_json, to_json
    from quadlens.circuits.construct import construct
    from quadlens.circuits.forward import evaluate

    circuit = construct(p=P, frequencies=(1, 2), neurons=4 * NEURONS, noise=0.3, seed=1)
    truth = evaluate(circuit)
    # the float64 margin of so small a circuit is this close to the real one, with room to spare
    slack = 1e-9

    def read(data: bytes) -> None:
        claimed = from_json(data)
        if check(claimed, circuit).accepted:
            assert claimed.certified_accuracy <= truth.accuracy, "accepted, and more accurate than the network is"
            if claimed.margin_lower_bound is not None:
                assert claimed.margin_lower_bound <= truth.min_margin + slack, (
                    "accepted, and wider than the margin is"
                )

    made = [certify(circuit, method=method) for method in ("linear", "brute-force", "exact")]
    return read, [to_json(one).encode() for one in made]


TARGETS = {"native": native, "torch": torch, "zip": zip_file, "config": config, "certificate": certificate}


def _expected() -> Any:
    from contextlib import suppress

    from quadlens.errors import QuadlensError

    return suppress(QuadlensError)


def _torch_reader() -> Target:
    from quadlens.circuits.limits import Budget, Limits
    from quadlens.circuits.load import circuit_of_tree
    from quadlens.circuits.readers.settings import Settings
    from quadlens.circuits.safe_torch import read_torch

    limits = Limits(max_bytes=2**22)

    def read(content: bytes) -> None:
        tree = read_torch(content, Budget(where="fuzzed", limits=limits))
        for settings in (None, {"attn_coeff": 0}, {"attention_rate": 1}):
            with _expected():
                circuit, _ = circuit_of_tree(
                    tree,
                    None,
                    Settings(config=settings, activation="relu"),
                    freeze_attention=True,
                    budget=Budget(where="fuzzed", limits=limits),
                    source="fuzzed",
                )
                _use(circuit)

    return read


def _use(circuit: Any) -> None:
    """Do with what was read what every command does first."""
    from quadlens.circuits.forward import evaluate
    from quadlens.circuits.native import encode

    if circuit.p <= 64 and circuit.neurons <= 256:
        evaluate(circuit)
        encode(circuit)


OPERATIONS = (
    *(
        b"(",
        b")",
        b"]",
        b"}",
        b"a",
        b"b",
        b"e",
        b"s",
        b"t",
        b"u",
        b"N",
        b"R",
        b"Q",
        b"\x81",
        b"\x85",
        b"\x86",
        b"\x87",
    ),
    *(b"\x88", b"\x89", b"h\x00", b"h\x05", b"q\x00", b"q\x05", b"K\x00", b"K\x05", b"J\xff\xff\xff\xff"),
    *(b"M\x00\xff", b"G\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\x8a\x08" + b"\x7f" * 8, b"X\x01\x00\x00\x000"),
    *(b"ccollections\nOrderedDict\n", b"ctorch\nSize\n", b"ctorch\nHalfStorage\n", b"ctorch\ndevice\n"),
    *(b"ctorch._utils\n_rebuild_parameter\n", b"ctransformers\nConfig\n", b"cnumpy\ndtype\n", b"c_codecs\nencode\n"),
)

NUMBERS = (0, 1, -1, 2, 3, P, 0.5, -0.0, 1e-300, 1e300, 2**31, 2**63, -(2**63), 10**400, 5e-324)
VALUES = (None, True, False, "", "relu", "\x1b[2J", "1/2", "1/0", [], {}, [[]], *NUMBERS)


def _mutate_json(value: Any, chance: random.Random) -> Any:
    """Return the value with one place in it changed: another value, a key lost, renamed or repeated elsewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        action = chance.random()
        made = dict(value)
        if action < 0.06:
            del made[key]
        elif action < 0.12:
            made[chance.choice([*value, "extra"])] = made[key]
        else:
            made[key] = _mutate_json(value[key], chance)
        return made
    if isinstance(value, list) and value and chance.random() < 0.85:
        place, made_list = chance.randrange(len(value)), list(value)
        action = chance.random()
        if action < 0.1:
            del made_list[place]
        elif action < 0.2:
            made_list.insert(chance.randrange(len(value) + 1), made_list[place])
        else:
            made_list[place] = _mutate_json(value[place], chance)
        return made_list
    if isinstance(value, (int, float)) and not isinstance(value, bool) and chance.random() < 0.6:
        return chance.choice((value + 1, value - 1, -value, value * 2, value * (1 + 1e-9), value / 3 if value else 7))
    return chance.choice(VALUES)


def _mutate_pickle(data: bytes, chance: random.Random) -> bytes:
    """Return the pickle with some of its operations lost, repeated, swapped or given another's argument."""
    places = [place for _, _, place in pickletools.genops(data) if place is not None]
    pieces = [data[start:stop] for start, stop in zip(places, [*places[1:], len(data)], strict=True)]
    for _ in range(chance.choice((1, 1, 2, 4))):
        one, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        action = chance.randrange(5)
        if action == 0 and len(pieces) > 2:
            del pieces[one]
        elif action == 1:
            pieces.insert(one, pieces[other])
        elif action == 2:
            pieces[one], pieces[other] = pieces[other], pieces[one]
        elif action == 3:
            pieces[one] = pieces[other]
        else:
            pieces.insert(one, chance.choice(OPERATIONS))
    return b"".join(pieces)


def _mutator(name: str) -> Callable[[bytes, int, int], bytes]:
    """Return a mutator that keeps most inputs well-formed enough to be read further."""
    import atheris

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if name == "zip" or chance.random() < 0.3:
            return bytes(atheris.Mutate(data, max_size))
        try:
            if name == "torch":
                return _mutate_pickle(data, chance)[:max_size]
            if name != "native":
                return json.dumps(_mutate_json(json.loads(data), chance)).encode()[:max_size]
            length = int.from_bytes(data[:8], "little")
            header = json.loads(data[8 : 8 + length])
            if chance.random() < 0.7:
                described = json.loads(header["__metadata__"]["quadlens"])
                header["__metadata__"]["quadlens"] = json.dumps(_mutate_json(described, chance))
            else:
                header = _mutate_json(header, chance)
            text = json.dumps(header).encode()
            return (len(text).to_bytes(8, "little") + text + data[8 + length :])[:max_size]
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError, Warning):
            return bytes(atheris.Mutate(data, max_size))

    return mutate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"), help="folder that grows from run to run")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    import atheris

    with atheris.instrument_imports(include=["quadlens"]):
        target, seeds = TARGETS[given.target]()
    warnings.simplefilter("error")
    folder = given.corpus / given.target
    folder.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds):
        (folder / f"seed-{index}").write_bytes(seed)

    def one_input(data: bytes) -> None:
        started = time.process_time()
        with _expected():
            target(data)
        taken = time.process_time() - started
        if taken > SECONDS_PER_INPUT:
            raise TimeoutError(f"took {taken:.1f} seconds of processor time")

    options = [
        f"-max_total_time={round(60 * given.minutes)}",
        # by the clock on the wall, for what never ends: a busy machine must not look like a slow reader
        f"-timeout={20 * SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-max_len={max(4096, 2 * max(map(len, seeds)))}",
        f"-artifact_prefix={folder.parent / given.target}-",
        f"-seed={given.seed}",
        "-print_final_stats=1",
        str(folder),
    ]
    atheris.Setup([sys.argv[0], *options], one_input, custom_mutator=_mutator(given.target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
