"""What lies in a sweep's folder is read as if from a stranger: against one schema, and against the item it is to be of.

A file that is not what its name says is set aside, with a sentence; it is never believed and never deleted.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quadlens.circuits.strict_json import parse_object
from quadlens.errors import CheckpointError, QuadlensError
from quadlens.files import read_regular, rename_aside
from quadlens.sweep.item import SweepItem, item_from_dict
from quadlens.untrusted_text import one_line, shown

MAX_BYTES = 2**28
LARGEST = 1e100
"""Largest number of a result: its square, summed, must stay a float64."""

Check = Callable[[Any, str], None]
"""Refuses a value by raising a CheckpointError that begins with the value's place."""


def _number(low: float = -LARGEST, high: float = LARGEST, *, whole: bool = False, none: bool = False) -> Check:
    kind = "an integer" if whole else "a number"

    def check(value: Any, place: str) -> None:
        if none and value is None:
            return
        right = type(value) is int if whole else type(value) in (int, float)
        if not right or not low <= value <= high:
            raise CheckpointError(f"{place} must be {kind} in {low:g}..{high:g}, got {shown(value, 40)}")

    return check


def _text(value: Any, place: str) -> None:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise CheckpointError(f"{place} must be short printable text, got {shown(value, 40)}")


def _list(each: Check, least: int = 0) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise CheckpointError(f"{place} must be a list of at least {least} values, got {shown(value, 40)}")
        for index, item in enumerate(value):
            each(item, f"{place}[{index}]")

    return check


def _object(fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return a check of an object that has these fields; others may be there, and are not looked at."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise CheckpointError(f"{place} must be an object, got {shown(value, 40)}")
        for name, each in (*fields.items(), *(optional or {}).items()):
            if name in value:
                each(value[name], f"{place}.{name}")
            elif name in fields:
                raise CheckpointError(f"{place} lacks {name}")

    return check


def _certificates(value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise CheckpointError(f"{place} must be an object, got {shown(value, 40)}")
    for method, certificate in value.items():
        _text(method, f"{place}: a method")
        where = f"{place}.{method}"
        _object({})(certificate, where)
        if "error" not in certificate and not certificate.get("refusal"):
            (_RECTANGLE if method == "rectangle" else _CERTIFICATE)(certificate, where)


_share, _size, _any = _number(0, 1), _number(0), _number()
_pair = _list(_any, 2)
_RECTANGLE = _object({"frequencies": _list(_object({"frequency": _number(0, 2**31, whole=True), "total": _size}))})
_CERTIFICATE = _object(
    {
        "certified_accuracy": _share,
        "margin_lower_bound": _number(none=True),
        "operations": _size,
        "brute_force_operations": _number(1),
        "seconds": _size,
    }
)
_GROUP = _object(
    {
        "frequency": _number(0, 2**31, whole=True),
        "neurons": _number(1, 2**31, whole=True),
        "weight": _size,
        "phase_mismatch_rms": _size,
        **dict.fromkeys(("s_A", "s_B", "e_A", "e_B"), _pair),
        "kappa": _any,
        "exponential_sums": _list(_any, 5),
    },
    {"chance": _size},
)
_ANALYSIS: dict[str, Check] = {
    "evaluation": _object({"accuracy": _share, "min_margin": _any, "mean_margin": _any}),
    "fit": _object({"frequencies": _list(_GROUP)}),
    "decompose": _object(
        {
            "stages": _list(_object({"name": _text, "r_squared": _any})),
            "terms": _list(_object({"name": _text, "relative_l2": _any})),
        }
    ),
    "certify": _certificates,
}
RESULT = _object(
    {"item": _object({}), "name": _text, "training_seconds": _size, **_ANALYSIS},
    {"snapshots": _list(_object({"epoch": _number(0, 2**31, whole=True), **_ANALYSIS}))},
)
"""The one schema: everything that a table or a figure is made of, and its range."""


def read_result(file: Path) -> dict[str, Any]:
    """Return the result of one network, whose item must be the one that the file's name is made of.

    Raises
    ------
    CheckpointError
        If the file is not a sweep's result, or one of another item.
    """
    try:
        result = parse_object(read_regular(file, MAX_BYTES), "it")
        RESULT(result, "result")
        found = _item(result["item"])
        if result["name"] != found.name or found.name != file.stem:
            raise CheckpointError(f"its item is called {found.name}")
        if set(result["certify"]) != set(found.methods):
            raise CheckpointError("its certificates are not those of its item")
        if [snapshot["epoch"] for snapshot in result.get("snapshots", ())] != list(found.snapshot_epochs):
            raise CheckpointError("its snapshots are not those of its item")
    except QuadlensError as error:
        raise CheckpointError(f"{one_line(file)} is not a sweep's result ({one_line(error, 200)})") from None
    return result


def _item(given: Mapping[str, Any]) -> SweepItem:
    try:
        return item_from_dict(given)
    except QuadlensError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"its item cannot be read: {one_line(repr(error))}") from None


def accepted(file: Path, read: Callable[[], object], notes: list[str]) -> bool:
    """Say whether ``file`` is there and ``read`` takes it; one that it refuses is set aside, and noted."""
    if not file.exists() and not file.is_symlink():
        return False
    try:
        read()
    except QuadlensError as error:
        aside = rename_aside(file)
        if aside is not None:
            notes.append(f"{one_line(error, 400)}; it was set aside as {one_line(aside.name)}")
        return False
    return True
