"""``{command-help} fit certify …``: what ``quadlens COMMAND --help`` prints, without running anything."""

from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from quadlens.cli import quadlens


class CommandHelp(SphinxDirective):
    """Show the help of commands, each below its name."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        group = click.Context(quadlens, info_name="quadlens", terminal_width=80, max_content_width=80)
        for name in self.arguments[0].split():
            command = quadlens.get_command(group, name)
            if command is None:
                raise self.error(f"there is no command {name!r}")
            context = click.Context(command, info_name=name, parent=group, help_option_names=["-h", "--help"])
            section = nodes.section(ids=[f"quadlens-{name}"])
            section += nodes.title("", f"quadlens {name}")
            help_text = command.get_help(context)
            section += nodes.literal_block(help_text, help_text, language="text")
            shown.append(section)
        return shown


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("command-help", CommandHelp)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
