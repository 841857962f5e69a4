"""What tensors a file of no known family holds, in one line, with the way to say what each is."""

import json
from typing import Any

from quadlens.untrusted_text import one_line

LISTED = 12
REMEDY = (
    "say what each is with --map-names FILE.json (in Python quadlens.from_tensors), starting from {start};"
    " or make a quadlens.Circuit of your own tables, or use quadlens.from_module"
)


def listing(tree: Any) -> str:
    """Return the names and shapes of the tensors in a loaded file, and the remedy."""
    shapes = tensor_shapes(tree)
    if not shapes:
        return f"it holds {type(tree).__name__} without tensors by name"
    some = list(shapes.items())[:LISTED]
    named = ", ".join(f"{one_line(name, 40)} {tuple(shape)}" for name, shape in some)
    more = " …" if len(shapes) > LISTED else ""
    start = json.dumps({one_line(name, 40): "?" for name, _ in some})
    return f"it holds the tensors {named}{more}; {REMEDY.format(start=start)}"


def tensor_shapes(tree: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array in a dict of them, or in the first dict in it that holds some."""
    if not isinstance(tree, dict):
        return {}
    found = _shapes(tree)
    inner = (_shapes(value) for value in tree.values() if isinstance(value, dict))
    return found or next((shapes for shapes in inner if shapes), {})


def _shapes(held: dict[Any, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(item.shape) for name, item in held.items() if isinstance(name, str) and hasattr(item, "shape")}
