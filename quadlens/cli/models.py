"""``quadlens models``: what is bundled."""

import click

from quadlens.cli.show import json_option, next_step, print_json, print_table, say
from quadlens.digits import percent

FIELDS = ("name", "p", "neurons", "activation", "accuracy", "command", "sha256")


@click.command(epilog="Example: quadlens models --json")
@json_option
def command(as_json: bool) -> None:
    """List the networks that come with quadlens."""
    from quadlens.circuits.bundled import bundled_networks

    networks = bundled_networks()
    if as_json:
        print_json(
            [
                {name: getattr(network, name) for name in FIELDS} | {"provenance": dict(network.provenance)}
                for network in networks
            ]
        )
        return
    print_table(
        "Bundled networks (the first is the default)",
        ["name", "p", "neurons", "activation", "accuracy", "sha256"],
        ([n.name, str(n.p), str(n.neurons), n.activation, percent(n.accuracy, 4), n.sha256[:16]] for n in networks),
    )
    say("\nMade with:")
    for network in networks:
        say(f"  {network.command}")
    next_step(f"quadlens report {networks[0].name}", "look at one of them")
