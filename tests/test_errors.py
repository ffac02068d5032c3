"""Errors: a class a cause, a slug a class, a line of the page a slug; the class decides the exit status."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness import errors
from harness.cli import main
from harness.errors import (
    EXIT_ENVIRONMENT,
    EXIT_USAGE,
    InputError,
    NoSuchFileError,
    PluginError,
    TrtmatrixError,
    UnavailableError,
    UnknownKeyError,
    UsageError,
)

PACKAGE = Path(harness.__file__).parent
PAGE = PACKAGE.parent / "docs/reference/errors.md"
BASES = (TrtmatrixError, UsageError, InputError, PluginError, UnavailableError)
CAUSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, TrtmatrixError) and kind not in BASES
}


def called() -> Iterator[tuple[str, str]]:
    """Yield where an error is made, and the name of its class."""
    known = {*CAUSES, *(kind.__name__ for kind in BASES)}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.func.id


def page() -> Iterator[tuple[str, int]]:
    """Yield the slugs of the page, each with the exit status that its section states."""
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        status = re.search(r"\(exit status (\d)\)", section.partition("\n")[0])
        if status is not None:
            yield from ((slug, int(status[1])) for slug in re.findall(r"^\| `([^`]+)` \|", section, re.M))


def test_only_causes_are_raised_never_their_bases() -> None:
    bases = {kind.__name__ for kind in BASES}
    assert [where for where, name in called() if name in bases] == []


def test_every_cause_is_raised_somewhere() -> None:
    assert {name for _, name in called()} >= set(CAUSES)


def test_every_cause_is_in_the_page_once_with_its_exit_status_and_nothing_else_is() -> None:
    assert sorted(page()) == sorted((kind.slug, kind.exit_code) for kind in CAUSES.values())


@pytest.mark.parametrize("kind", CAUSES.values(), ids=CAUSES)
def test_a_cause_is_below_one_base_and_says_what_it_is(kind: type[TrtmatrixError]) -> None:
    (base,) = kind.__bases__
    assert base in BASES[1:]
    assert kind.exit_code == (EXIT_ENVIRONMENT if base is UnavailableError else EXIT_USAGE)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    said = kind.__doc__ or ""
    assert said.endswith(".")
    assert "\n" not in said


def test_the_tree_of_the_module_names_the_bases_with_their_exit_codes() -> None:
    tree = dict(re.findall(r"[|`]-- (\w+) .*\(exit code (\d)\)", errors.__doc__ or ""))
    assert tree == {kind.__name__: str(kind.exit_code) for kind in BASES[1:]}


def test_a_slug_is_the_name_of_its_class_and_ends_the_one_line() -> None:
    error = UnknownKeyError("m\n.toml", "unknown key 'a'", line=3, where="[run]")
    assert error.one_line == "m\\n.toml:3: [run]: unknown key 'a' [unknown-key]"
    assert NoSuchFileError.slug == "no-such-file"


def test_a_plugin_may_raise_causes_of_its_own() -> None:
    class ColdHostError(UnavailableError):
        """The host has not warmed up."""

    class OddError(UsageError):
        slug = "acme-odd"

    assert ColdHostError("wait").one_line == "wait [cold-host]"
    assert OddError("no").one_line == "no [acme-odd]"
    assert UsageError("no").one_line == "no"


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        (["judge", "nowhere"], 2, "no-such-file"),
        (["run", "--builds", "x"], 2, "bad-option"),
        (["run", "--resume"], 2, "options-contradict"),
    ],
)
def test_the_command_line_ends_with_the_slug(
    words: list[str], code: int, slug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(words)
    except SystemExit as ended:  # argparse ends the process itself
        found = int(str(ended.code))
    (line,) = capsys.readouterr().err.splitlines()
    assert (found, line.endswith(f" [{slug}]")) == (code, True)
    assert line.startswith("trtmatrix: ")
