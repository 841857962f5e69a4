"""``quadlens derive``: run derivations, print the steps and the verdict of each statement."""

import click

from quadlens.cli.progress import progress_bar
from quadlens.cli.show import json_option, next_step, print_json, say


@click.command(epilog="Example: quadlens derive pizza_integral")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Run every derivation.")
@json_option
def command(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Run derivations and print their steps; exit 1 if a step fails.

    NAME is a family (pizza_integral) or one of its statements (pizza_integral.scaled).
    """
    from quadlens.identities.catalogue import FAMILIES, all_statements
    from quadlens.identities.printing import as_text, json_rows
    from quadlens.identities.scripts import run_derivations

    known = {statement.name: statement.family for statement in all_statements()} | {name: name for name in FAMILIES}
    if everything == bool(names):
        raise click.UsageError(f"give names or --all; the families are {', '.join(FAMILIES)}")
    for name in names:
        if name not in known:
            raise click.UsageError(f"no derivation {name!r}; the families are {', '.join(FAMILIES)}")
    families = FAMILIES if everything else tuple(dict.fromkeys(known[name] for name in names))
    wanted = None if everything else set(names)
    with progress_bar("Deriving") as report:
        finished = run_derivations(families, progress=report)
    if as_json:
        print_json([row for timed in finished for row in json_rows(timed.derivation, timed.seconds, wanted)])
    else:
        for timed in finished:
            say(as_text(timed.derivation, wanted))
        results = [result for timed in finished for result in timed.derivation.results]
        numeric = sum(result.verdict == "checked numerically" for result in results)
        failed = sum(result.verdict == "failed" for result in results)
        say(
            f"{len(finished)} families, {len(results)} statements: {len(results) - numeric - failed} proved, "
            f"{numeric} checked numerically, {failed} failed ({sum(timed.seconds for timed in finished):.1f} s)."
        )
        next_step("quadlens equations", "write every equation as LaTeX, Markdown and HTML")
    if any(timed.failure for timed in finished):
        raise SystemExit(1)
