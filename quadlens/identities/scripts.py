"""Find and run the derivation scripts: inside the installed package, or beside it in a source checkout."""

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from quadlens.errors import DependencyError, DerivationError, OptionError
from quadlens.identities.catalogue import FAMILIES, statements_of
from quadlens.identities.proof import Derivation, Result, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedDerivation:
    """A derivation as it ran: its results, the seconds it took, and the message of the step that failed, if one did."""

    derivation: Derivation
    seconds: float
    failure: str | None = None


def script_folder() -> Path:
    """Return the folder that holds the scripts.

    Raises
    ------
    DependencyError
        If neither the package nor the checkout has it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "derivations", package.parent / "derivations"):
        if (folder / f"{FAMILIES[0]}.py").is_file():
            return folder
    raise DependencyError("the derivation scripts are missing from this installation of quadlens; install it again")


def load_script(family: str) -> ModuleType:
    """Import the script of one family as a module, without running its main part.

    Raises
    ------
    OptionError
        If there is no such family.
    """
    if family not in FAMILIES:
        raise OptionError(f"no derivation is called {family!r}; choose from {', '.join(FAMILIES)}")
    path = script_folder() / f"{family}.py"
    spec = importlib.util.spec_from_file_location(f"quadlens_derivation_{family}", path)
    if spec is None or spec.loader is None:
        raise DependencyError(f"cannot load the derivation {path}; install quadlens again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def proved(family: str) -> Derivation:
    """Return the derivation of a family, run once in this process: other families use it as a lemma."""
    derivation: Derivation = load_script(family).derive()
    return derivation


def run_derivation(family: str) -> TimedDerivation:
    """Run one derivation; a step that does not check makes every statement of the family *failed*, with the reason."""
    started = time.perf_counter()
    try:
        derivation, failure = proved(family), None
    except DerivationError as error:
        derivation, failure = _failed(family, str(error)), str(error)
    return TimedDerivation(derivation=derivation, seconds=time.perf_counter() - started, failure=failure)


def run_derivations(
    families: Sequence[str] = FAMILIES, *, progress: Callable[[float], None] | None = None
) -> list[TimedDerivation]:
    """Run several derivations one after another, in the order given.

    Raises
    ------
    OptionError
        If a name is not that of a family; nothing has run then.
    """
    unknown = [family for family in families if family not in FAMILIES]
    if unknown:
        raise OptionError(f"no derivation is called {unknown[0]!r}; choose from {', '.join(FAMILIES)}")
    finished = []
    for number, family in enumerate(families):
        if progress is not None:
            progress(number / len(families))
        finished.append(run_derivation(family))
    if progress is not None:
        progress(1.0)
    return finished


def _failed(family: str, reason: str) -> Derivation:
    step = Step(text="A step did not check", formula=None, check=reason)
    results = tuple(
        Result(statement=statement, steps=(step,), verdict="failed", detail=reason)
        for statement in statements_of(family)
    )
    return Derivation(name=family, title=family.replace("_", " "), results=results)
