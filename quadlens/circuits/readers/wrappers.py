"""What training code wraps a state dict in: outer keys, and prefixes that the same code puts before every name."""

from collections.abc import Iterator
from typing import Any

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
"""Of torch's DataParallel and compile, of Lightning, and of modules that hold the network."""

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Keys under which a checkpoint keeps its state dict."""

_DEPTH = 4


def unwrapped(tree: Any) -> Iterator[Any]:
    """Yield the tree as it is with prefixes taken off, then each state dict in it alone."""
    if not isinstance(tree, dict):
        yield tree
        return
    bare = without_prefix(tree)
    yield {key: without_prefix(value) if isinstance(value, dict) else value for key, value in bare.items()}
    inner = bare
    for _ in range(_DEPTH):
        key = next((key for key in WRAPPERS if isinstance(inner.get(key), dict)), None)
        if key is None:
            return
        others = {name: value for name, value in inner.items() if name != key}
        inner = without_prefix(inner[key])
        # configurations beside the state dict go with it
        yield {**others, "state_dict": inner}
        yield inner


def without_prefix(state: dict[Any, Any]) -> dict[Any, Any]:
    """Return the dict with every prefix taken off that all its names share."""
    for _ in range(_DEPTH):
        prefix = next((prefix for prefix in PREFIXES if state and _all_begin(state, prefix)), None)
        if prefix is None:
            break
        state = {name[len(prefix) :]: value for name, value in state.items()}
    return state


def _all_begin(state: dict[Any, Any], prefix: str) -> bool:
    return all(isinstance(name, str) and name.startswith(prefix) and len(name) > len(prefix) for name in state)
