"""Configurations: each family knows its keys and their ranges; nothing is run and no path is followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A JSON integer in a range; a float with an integer value passes too."""

    low: int
    high: int

    def read(self, value: Any) -> int:
        number = value if type(value) is int else int(value) if type(value) is float and value.is_integer() else None
        if number is None or not self.low <= number <= self.high:
            raise ValueError(f"must be an integer in {self.low}..{self.high}")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A JSON number in a range, as the exact fraction of its float64 value."""

    low: float
    high: float

    def read(self, value: Any) -> Fraction:
        # NaN is in no range, and an integer too large for a float64 is compared as the integer that it is
        if type(value) not in (int, float) or not self.low <= value <= self.high:
            raise ValueError(f"must be a number in {self.low}..{self.high}")
        return Fraction(value)


class Flag:
    """A JSON true or false, also written 0 or 1."""

    def read(self, value: Any) -> bool:
        if type(value) not in (bool, int) or value not in (0, 1):
            raise ValueError("must be true or false")
        return bool(value)


class Text:
    """Short text."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > 200:
            raise ValueError("must be short text")
        return value


class Unused:
    """Anything: the key is known, and says nothing that the circuit depends on."""

    def read(self, value: Any) -> None:
        return None


Field = Integer | Number | Flag | Text | Unused


def read_config(given: Mapping[str, Any], fields: Mapping[str, Field], where: str) -> dict[str, Any]:
    """Return the values of the known keys; null counts as absent.

    Raises
    ------
    CheckpointError
        If a key is unknown, or a value is outside its range.
    """
    read = {}
    for key, value in given.items():
        if key not in fields:
            raise CheckpointError(f"{where} has the unknown key {shown(key)}; known: {', '.join(fields)}")
        if value is None:
            continue
        try:
            read[key] = fields[key].read(value)
        except ValueError as error:
            raise CheckpointError(f"{where}: {key} {error}, got {shown(value)}") from None
    return {key: value for key, value in read.items() if value is not None}


def activation_from(name: str, names: Mapping[str, str], where: str) -> str:
    """Return quadlens' name for a family's activation.

    Raises
    ------
    UnsupportedModelError
        If the family's activation is not one that a circuit may have.
    """
    if name not in names:
        raise UnsupportedModelError(
            f"{where}: the activation {one_line(repr(name), 40)} is not supported; supported: {', '.join(names)}"
        )
    return names[name]


def agree(name: str, value: int, expected: int, where: str) -> None:
    """Refuse a config's size that is not the tensors'."""
    if value != expected:
        raise CheckpointError(f"{where}: the config says {name} = {value}, the tensors say {expected}")
