"""The door: help is quick to make, every verb has help and documentation, bad input is one line and exit code 2."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from zhol.cli import VERBS, make_app

ROOT = Path(__file__).resolve().parents[2]
DOCS = "\n".join(p.read_text(encoding="utf-8") for p in [*ROOT.glob("docs/**/*.md"), ROOT / "README.md"])


def zhol(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "zhol", *arguments], capture_output=True, text=True, check=False, timeout=120, **options
    )


def commands():
    root = get_command(make_app())
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        if inner:
            yield from ((f"{name} {sub}", entry) for sub, entry in inner.items())
        else:
            yield name, command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_has_help_and_is_documented(name):
    assert COMMANDS[name].help, f"zhol {name} has no help"
    assert f"zhol {name}" in DOCS, f"zhol {name} is in no page of the documentation"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_verb_has_help(name):
    bare = [p.name for p in COMMANDS[name].params if not getattr(p, "help", None) and p.name != "help"]
    assert bare == []


def test_help_imports_no_verb():
    code = (
        "import sys; from zhol.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m in ('polars', 'duckdb', 'jax', 'altair', 'zhol.cli.brief')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("[]")
    assert all(name in out for name in VERBS)


def test_verbs_are_where_the_list_says():
    for verb in VERBS.values():
        module = importlib.import_module(verb.module)
        assert hasattr(module, "app") or hasattr(module, "command")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nosuch"], "zhol: No such command 'nosuch'. (see `zhol --help`)"),
        (["roles", "--nosuch"], "zhol: No such option: --nosuch (see `zhol --help`)"),
        (["roles", "--region", "atlantis"], None),
        (["roles", "--json", "--csv"], "zhol: choose one of --json and --csv"),
        (["roles", "--year", "1200"], "zhol: no stock at or before the year asked for; found 1200"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, line):
    done = zhol(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    if line is not None:
        assert done.stderr.strip() == line


def test_quiet_works_before_and_after_the_verb():
    before, after = zhol("--quiet", "roles", "--csv"), zhol("roles", "--csv", "--quiet")
    assert before.returncode == after.returncode == 0
    assert before.stdout == after.stdout
    assert before.stderr == after.stderr == ""


def test_roles_as_json_and_table():
    rows = json.loads(zhol("roles", "--json").stdout)
    kazakhstan = next(r for r in rows if r["place"] == "KAZ")
    for role in ("origin", "transit", "destination"):
        assert 0 <= kazakhstan[f"{role}_low"] <= kazakhstan[role] <= kazakhstan[f"{role}_high"] <= 1
    assert "Kazakhstan" in zhol("roles").stdout
