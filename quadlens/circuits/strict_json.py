"""JSON from a file: no repeated keys, no NaN or Infinity, no nesting deep enough to break the parser."""

import json
import math
from collections.abc import Mapping
from typing import Any

from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

MAX_DEPTH = 32
MAX_DIGITS = 1000


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice")
    return made


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def whole_number(digits: str) -> int:
    """Return an integer of JSON; ValueError for one of more than ``MAX_DIGITS`` digits, which nothing here has."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits, more than the {MAX_DIGITS} allowed")
    return int(digits)


def finite(text: str) -> float:
    """Return a number of JSON; ValueError for one that no float64 holds."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{one_line(text, 40)} is too large for a number")
    return value


def _depth(content: str) -> int:
    """Return an upper bound on the nesting: brackets inside strings count too, so it never undercounts."""
    depth = deepest = 0
    for character in content:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}" and depth:
            depth -= 1
    return deepest


def parse_object(content: bytes | str, where: str) -> dict[str, Any]:
    """Return the JSON object that ``content`` (UTF-8) holds; ``where`` names it in messages.

    Raises
    ------
    CheckpointError
        If it is not one strict JSON object.
    """
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        if _depth(text) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        made = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=whole_number, parse_float=finite
        )
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} is not valid JSON: {one_line(error)}") from None
    if not isinstance(made, dict):
        raise CheckpointError(f"{where} must be a JSON object, got {type(made).__name__}")
    return made


def check_keys(given: Mapping[str, Any], required: set[str], optional: set[str], where: str) -> None:
    """Refuse missing and unknown keys by name."""
    missing, unknown = sorted(required - given.keys()), sorted(given.keys() - required - optional)
    if missing:
        raise CheckpointError(f"{where} lacks {', '.join(missing)}")
    if unknown:
        named = ", ".join(one_line(repr(key), 40) for key in unknown[:5])
        raise CheckpointError(f"{where} has unknown keys: {named}{' …' if len(unknown) > 5 else ''}")
