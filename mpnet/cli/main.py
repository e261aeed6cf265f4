"""The ``mpnet`` command: finds the sub-command and turns errors into messages and exit codes."""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from importlib import import_module

import click

from mpnet.cli.output import is_debugging, print_error, use_colour
from mpnet.errors import MpnetError

COMMANDS: dict[str, str] = {
    "demo": "Run a shipped scenario and say what to look at next.",
    "run": "Run a scenario: beliefs, verdict, run folder, figures.",
    "infer": "Infer on a UAI, BIF or libDAI model file: marginals, partition sum.",
    "check": "Name every fault of scenario files.",
    "show": "Show a run again, or a scenario before it runs.",
    "explain": "Say why a node of a run is believed: who supports it, who protests.",
    "plot": "Draw figures of a run again.",
    "report": "Write a run as one HTML page to scrub through and click in.",
    "compare": "Say what differs between runs, or from exact answers.",
    "gallery": "Run the shipped scenarios and write a page for each.",
    "new": "Write the beginning of a plugin or of a scenario.",
    "list": "List scenarios, node types, estimators, schedules, figures.",
    "doctor": "Check the installation and the kernels.",
    "schema": "Write the JSON Schema of the scenario format.",
}
"""Each command is ``command`` in the module of its name; this is what ``--help`` says of it."""

INTERRUPTED = 130


class ReaderGone(Exception):  # noqa: N818 - not an error
    """Whoever read the output has gone; click would turn a broken pipe into exit code 1."""


class LazyGroup(click.Group):
    """Loads a command's module only when that command runs or shows its own help."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"mpnet.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the nearest one where there is none of that name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"no such command {args[0]!r};{hint} known: {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Whether to colour the output; NO_COLOR and FORCE_COLOR count too.",
)
@click.version_option(None, "--version", package_name="mpnet", message="mpnet %(version)s")
def group(color: str) -> None:
    """Societies of generative models that agree by loopy belief propagation."""
    use_colour(color)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    warnings.showwarning = _print_warning  # type: ignore[assignment]
    try:
        code = group.main(arguments, prog_name="mpnet", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print_error("interrupted; nothing was saved")
        sys.exit(INTERRUPTED)
    except (BrokenPipeError, ReaderGone):
        # Whoever read the output has gone: what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MpnetError as error:
        if is_debugging():
            raise
        print_error(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        if is_debugging():
            raise
        print_error(f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}")
        sys.exit(5)
    except Exception as error:
        if is_debugging():
            raise
        print_error(
            f"a bug in mpnet: {type(error).__name__}: {error}\n"
            "set MPNET_DEBUG=1 to see where, and report it with the scenario"
        )
        sys.exit(1)


def _print_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    print_error(f"warning: {message}")
