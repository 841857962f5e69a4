"""A configuration that a checkpoint holds beside its tensors, under whatever key: pickled, or a plain dict."""

from typing import Any

from quadlens.circuits.safe_torch import PickledConfig
from quadlens.errors import CheckpointError

KEYS = ("config", "model_config", "cfg", "model_cfg")
"""Where TransformerLens users, the gbmi and the grokking project keep it."""


def plain_config(tree: Any, where: str) -> dict[str, Any]:
    """Return the plain values of every configuration in a loaded checkpoint; empty where it holds none.

    Only plain values are looked at: comparing a tensor would make another tensor.

    Raises
    ------
    CheckpointError
        If one is neither a dict nor a pickled record, or two say different things.
    """
    found: dict[str, Any] = {}
    for key in KEYS:
        held = tree.get(key) if isinstance(tree, dict) else None
        if held is None:
            continue
        fields = vars(held) if isinstance(held, PickledConfig) else held
        if not isinstance(fields, dict):
            raise CheckpointError(f"{where}: its {key} must be a dict, got {type(held).__name__}")
        for name, value in fields.items():
            plain = value if value is None or type(value) in (bool, int, float, str) else NOT_PLAIN
            if not isinstance(name, str):
                continue
            if name in found and found[name] is not plain and found[name] != plain:
                raise CheckpointError(f"{where} holds two configurations that say different things of {name!r:.60}")
            found[name] = plain
    return found


class _NotPlain:
    """Stands for a value that is not looked at."""


NOT_PLAIN = _NotPlain()
