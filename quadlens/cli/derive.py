"""``quadlens derive``: run derivations, print the steps and the verdict of each statement."""

from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from quadlens.cli.progress import progress_bar
from quadlens.cli.show import json_option, next_step, print_json, say


def _known() -> dict[str, str]:
    """Return the names that can be asked for: those of statements and of families, each with its family."""
    from quadlens.identities.catalogue import FAMILIES, all_statements

    return {statement.name: statement.family for statement in all_statements()} | {name: name for name in FAMILIES}


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a family, or, once its family is typed, of a statement."""
    from quadlens.identities.catalogue import FAMILIES

    # statements are offered once their family is typed
    offered = _known() if "." in incomplete else FAMILIES
    return [CompletionItem(name) for name in offered if name.startswith(incomplete)]


@click.command(epilog="Example: quadlens derive pizza_integral")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete)
@click.option("--all", "everything", is_flag=True, help="Run every derivation.")
@json_option
def command(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Run derivations and print their steps; exit 1 if a step fails.

    NAME is a family (pizza_integral) or one of its statements (pizza_integral.scaled).
    """
    from quadlens.identities.catalogue import FAMILIES
    from quadlens.identities.printing import as_text, is_wanted, json_rows
    from quadlens.identities.scripts import run_derivations

    known = _known()
    if everything == bool(names):
        raise click.UsageError(f"give names or --all; the families are {', '.join(FAMILIES)}")
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the families are {', '.join(FAMILIES)}"
            raise click.UsageError(f"no derivation {name!r}; {hint}")
    families = FAMILIES if everything else tuple(dict.fromkeys(known[name] for name in names))
    wanted = None if everything else set(names)
    with progress_bar("Deriving") as report:
        finished = run_derivations(families, progress=report)
    if as_json:
        print_json([row for timed in finished for row in json_rows(timed.derivation, timed.seconds, wanted)])
    else:
        for timed in finished:
            say(as_text(timed.derivation, wanted))
        results = [one for timed in finished for one in timed.derivation.results if is_wanted(one, wanted)]
        numeric = sum(result.verdict == "checked numerically" for result in results)
        failed = sum(result.verdict == "failed" for result in results)
        say(
            f"{_count(len(finished), 'family', 'families')}, {_count(len(results), 'statement', 'statements')}: "
            f"{len(results) - numeric - failed} proved, "
            f"{numeric} checked numerically, {failed} failed ({sum(timed.seconds for timed in finished):.1f} s)."
        )
        next_step("quadlens equations", "write every equation as LaTeX, Markdown and HTML")
    if any(timed.failure for timed in finished):
        raise SystemExit(1)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
