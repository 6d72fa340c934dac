"""The command line: a door, no logic. One verb a file, loaded only when it is called.

Examples
--------
>>> [name for name in VERBS if name.startswith("b")]
['brief', 'backtest', 'bound']
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import typer


class Verb(NamedTuple):
    """Where a verb lives and what it does, so that help needs no import of the verb."""

    module: str
    help: str


VERBS = {
    "brief": Verb("zhol.cli.brief", "Write the brief of a place: one HTML and one PDF, each number with its source."),
    "map": Verb("zhol.cli.map", "Draw the corridors and roles of a region as SVG or PNG."),
    "roles": Verb(
        "zhol.cli.roles", "How much each place is origin, transit and destination, with the spread over sources."
    ),
    "data": Verb("zhol.cli.data", "List, show, query, build and pull the tables of a region pack."),
    "region": Verb("zhol.cli.region", "Make a new region pack, or check one."),
    "estimate": Verb(
        "zhol.cli.estimate", "Hidden populations and rival figures: counts, lists, registers, reconcile, …"
    ),
    "roads": Verb("zhol.cli.roads", "Candidate roads between places, what passage costs, and a map of them."),
    "simulate": Verb("zhol.cli.simulate", "Run the migration system under present policies or a scenario."),
    "calibrate": Verb("zhol.cli.calibrate", "Fit the migration system to the figures of its pack."),
    "backtest": Verb("zhol.cli.backtest", "Fit to a date, predict what came after, misses first."),
    "instruments": Verb(
        "zhol.cli.instruments", "The instruments of policy: what each moves, by how much, on what evidence."
    ),
    "compare": Verb("zhol.cli.compare", "Scenarios beside each other under the same draws, rights floors in view."),
    "delay": Verb("zhol.cli.delay", "What waiting with a package costs."),
    "target": Verb("zhol.cli.target", "The least lawful package that reaches a target, or why none does."),
    "sensitivity": Verb(
        "zhol.cli.sensitivity", "Which uncertain input decides an outcome, and what knowing it would be worth."
    ),
    "frontier": Verb("zhol.cli.frontier", "Mixes of instruments that no lawful other beats, within a budget."),
    "bound": Verb("zhol.cli.enforcement_bound", "The most that an enforcement budget can do once people re-route."),
    "check": Verb(
        "zhol.cli.check", "Behaviours that must hold of a pack's model, and comparison with a saved version."
    ),
}

PURPOSE = (
    "zhol, an open laboratory for irregular-migration policy. "
    "Purpose: comparing policies and bodies, never finding people. Aggregates only."
)


def make_app(wanted: set[str] | None = None) -> typer.Typer:
    """Build the application; only the verbs in ``wanted`` are imported (None: all of them)."""
    import typer

    from zhol.cli import output

    app = typer.Typer(
        name="zhol", help=PURPOSE, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def root(
        quiet: bool = typer.Option(False, "--quiet", "-q", help="Print no progress and no notes, only results."),
        version: bool = typer.Option(
            False, "--version", help="Print the version and leave.", is_eager=True, callback=_print_version
        ),
    ) -> None:
        output.set_quiet(quiet)

    for name, verb in VERBS.items():
        if wanted is not None and name not in wanted:
            app.command(name, help=verb.help)(_not_loaded)
            continue
        module = importlib.import_module(verb.module)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=verb.help)
        else:
            app.command(name, help=verb.help)(module.command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        import typer

        from zhol import __version__

        typer.echo(__version__)
        raise typer.Exit


def _not_loaded() -> None:
    raise RuntimeError("a verb was called that was not loaded")


def _quiet_first(arguments: list[str]) -> list[str]:
    """Accept ``--quiet`` after the verb too."""
    quiet = {"--quiet", "-q"}
    if not quiet & set(arguments[1:]):
        return arguments
    return ["--quiet", *[a for a in arguments if a not in quiet]]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends with one clear line and exit code 2."""
    import typer
    from typer.exceptions import TyperException

    from zhol.core.errors import ZholError

    given = _quiet_first(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    verb = next((a for a in given if not a.startswith("-")), None)
    app = make_app(set() if verb is None else {verb})
    try:
        code = app(args=given, prog_name="zhol", standalone_mode=False)
    except ZholError as error:
        _say(f"zhol: {error}")
        code = 2
    except TyperException as error:
        # A verb called bare answers with its help, which is long; a mistake gets one line.
        message = error.format_message()
        _say(message if "Usage:" in message else f"zhol: {' '.join(message.split())} (see `zhol --help`)")
        code = 2
    except typer.Exit as leave:
        code = leave.exit_code
    except (typer.Abort, KeyboardInterrupt):
        _say("zhol: stopped")
        code = 130
    except BrokenPipeError:
        # The reader of the pipe has left; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
