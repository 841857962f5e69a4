"""Where a circuit comes from, as data: what its file said, what had to be assumed, and what was left out or frozen.

A claim about a circuit is a claim about the network in the file only as far as this record allows. Sentences are made
from it elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from quadlens.errors import CircuitError
from quadlens.untrusted_text import is_plain

ADDITION = "a + b"
MAX_TEXT = 500
MAX_ENTRIES = 64
LARGEST = 2**53
"""Of a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezing:
    """Attention that depends on the input was frozen at its mean: the circuit is not the network in the file.

    Parameters
    ----------
    inputs : over how many inputs the rest was measured, ``p²``: all of them
    attention_change : largest move of an attention weight, over all inputs; None where the weights were not seen
    logit_change : largest move of any logit, over all inputs
    accuracy_before : of the network as it is in the file
    accuracy_after : of the circuit, with its attention frozen
    """

    inputs: int
    attention_change: float | None
    logit_change: float
    accuracy_before: float
    accuracy_after: float

    def __post_init__(self) -> None:
        _count(self.inputs, "the inputs over which freezing was measured", 9)
        for name in ("attention_change", "logit_change", "accuracy_before", "accuracy_after"):
            if name == "attention_change" and self.attention_change is None:
                continue
            most = 1.0 if name.startswith("accuracy") else math.inf
            object.__setattr__(self, name, _number(getattr(self, name), f"{name} of freezing", most))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Outputs of the network in the file that are no residue, such as ``=``: the circuit's logits do not have them.

    Parameters
    ----------
    names : one for each output left out
    largest_on : on how many of all p² inputs one of them has a logit as large as the largest residue's, or larger;
        measured in float64 of the circuit's network, None where it was not
    """

    names: tuple[str, ...]
    largest_on: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _texts(self.names, "the names of outputs left out"))
        if not self.names:
            raise CircuitError("the names of outputs left out must not be empty; give None where nothing is left out")
        if self.largest_on is not None:
            _count(self.largest_on, "the inputs on which an output left out is largest", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is known of how a circuit came from a file or from memory.

    Parameters
    ----------
    family : the circuit's
    file : the file's name, without its folders; None for what was never a file
    said : setting -> what it is and where that was said, such as ``{"activation": "relu, by act_fn of run_config"}``
    assumed : a sentence for each thing that nothing said
    task : what the network is to answer, modulo p
    left_out : outputs of the network that the circuit's p logits leave out; None where its outputs are the residues
    frozen : what freezing its attention changed; None where nothing was frozen
    changed : a sentence for each change that was made to the circuit in memory afterwards

    Raises
    ------
    CircuitError
        If a text is not short and printable, or a number not in its range.
    """

    family: str = "tables"
    file: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    task: str = ADDITION
    left_out: LeftOut | None = None
    frozen: Freezing | None = None
    changed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("family", "task"):
            _text(getattr(self, name), name)
        if self.file is not None:
            _text(self.file, "file")
            if "/" in self.file:
                raise CircuitError(f"file must be a name without folders, got {self.file!r:.80}")
        if not isinstance(self.said, Mapping) or len(self.said) > MAX_ENTRIES:
            raise CircuitError(f"said must map at most {MAX_ENTRIES} settings to texts, got {self.said!r:.80}")
        for setting, text in self.said.items():
            _text(setting, "a setting")
            _text(text, f"what was said of {setting}")
        object.__setattr__(self, "said", MappingProxyType(dict(self.said)))
        for name in ("assumed", "changed"):
            object.__setattr__(self, name, _texts(getattr(self, name), name))
        for name, kind in (("left_out", LeftOut), ("frozen", Freezing)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise CircuitError(f"{name} must be a {kind.__name__} or None, got {type(value).__name__}")

    def __reduce__(self) -> tuple[Any, ...]:
        return provenance_from, (self.to_dict(),)

    @property
    def renumbered(self) -> str | None:
        """What the inputs of a network of another task than a + b stand for, a sentence; None of a + b itself."""
        return None if self.task == ADDITION else self.said.get("inputs")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, which ``provenance_from`` reads."""
        return {
            "family": self.family,
            "file": self.file,
            "said": dict(self.said),
            "assumed": list(self.assumed),
            "task": self.task,
            "left_out": None
            if self.left_out is None
            else {"names": list(self.left_out.names), "largest_on": self.left_out.largest_on},
            "frozen": None
            if self.frozen is None
            else {name: getattr(self.frozen, name) for name in Freezing.__dataclass_fields__},
            "changed": list(self.changed),
        }


def provenance_from(given: object) -> Provenance:
    """Return the record that ``to_dict`` wrote.

    Raises
    ------
    CircuitError
        If a key is missing or unknown, or a value is not one that the record may have.
    """
    keys = set(Provenance.__dataclass_fields__)
    values = dict(_object(given, "the provenance", keys))
    if values["left_out"] is not None:
        values["left_out"] = LeftOut(**_object(values["left_out"], "left_out", set(LeftOut.__dataclass_fields__)))
    if values["frozen"] is not None:
        values["frozen"] = Freezing(**_object(values["frozen"], "frozen", set(Freezing.__dataclass_fields__)))
    return Provenance(**values)


def _object(given: object, what: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise CircuitError(f"{what} must be an object, got {type(given).__name__}")
    if set(given) != keys:
        raise CircuitError(f"{what} must have the keys {', '.join(sorted(keys))}, got {sorted(map(str, given))!r:.120}")
    return given


def _text(value: object, what: str) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or not is_plain(value):
        raise CircuitError(f"{what} must be 1..{MAX_TEXT} printable characters, got {value!r:.80}")


def _texts(values: object, what: str) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)) or len(values) > MAX_ENTRIES:
        raise CircuitError(f"{what} must be a list of at most {MAX_ENTRIES} texts, got {values!r:.80}")
    for value in values:
        _text(value, f"a text of {what}")
    return tuple(values)


def _count(value: object, what: str, least: int) -> None:
    if type(value) is not int or not least <= value <= LARGEST:
        raise CircuitError(f"{what} must be an integer from {least} on, got {value!r:.80}")


def _number(value: object, what: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most or value > 1e300:
        raise CircuitError(f"{what} must be a finite number in 0..{most:g}, got {value!r:.80}")
    return float(value)
