"""The docs are true: links lead somewhere, commands and options exist, the README begins as it must."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from harness import __version__
from harness.analysis.accepted import read_accepted
from harness.cli import COMMANDS, build_parser
from harness.errors import TrtmatrixError
from harness.matrix.file import read_matrix
from harness.matrix.treatment import COMMON
from harness.pytest_plugin.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{target} is not there"


def test_every_page_is_two_clicks_from_the_readme() -> None:
    reached = set()
    for name in ("docs/README.md", "docs/results/README.md"):
        assert f"({name})" in (ROOT / "README.md").read_text(encoding="utf-8")
        page = ROOT / name
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        reached |= {page, *((page.parent / target).resolve() for target in targets)}
    missing = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in reached]
    assert not missing, f"docs/README.md does not list {missing}"


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    listed = re.findall(
        r"^ *(?:root:|- file:|- glob:) (\S+)$", (ROOT / "docs/_toc.yml").read_text("utf-8"), re.M
    )
    pages = {path.relative_to(ROOT / "docs") for path in PAGES if path.is_relative_to(ROOT / "docs")}
    missing = [page for page in pages if not any(page.with_suffix("").match(name) for name in listed)]
    assert not missing, f"docs/_toc.yml does not list {missing}"


def test_what_is_cited_is_the_release() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_begins_with_two_commands_in_blocks_of_their_own() -> None:
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks[0].splitlines()) == len(blocks[1].splitlines()) == 1
    assert "trtmatrix run suites/default.toml" in blocks[0]
    assert "tox" in blocks[1]


def test_every_command_of_the_docs_is_a_command() -> None:
    for page in PAGES:
        for name in re.findall(r"`(?:\.venv/bin/)?trtmatrix ([a-z]+)", page.read_text(encoding="utf-8")):
            assert name in COMMANDS, f"{page.name}: trtmatrix {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_of_the_docs_is_taken_by_the_parser(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    code = re.findall(r"^ *```\w*\n(.*?)^ *```|^(    .*\n)", text, re.M | re.S)
    for line in re.findall(r"^ *(?:\.venv/bin/)?trtmatrix (.+)$", "".join(map("".join, code)), re.M):
        words = shlex.split(line.split(" && ")[0], comments=True)
        try:
            build_parser().parse_args(words)
        except (SystemExit, TrtmatrixError) as error:
            pytest.fail(f"trtmatrix {line}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_within_a_sentence_is_taken_by_the_parser(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.sub(r"^ *```\w*\n.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for line in re.findall(r"`(?:\.venv/bin/)?trtmatrix ([^`]+)`", text):
        # What may be left out is there; names of commands alone, and alternatives, are no command line.
        words = shlex.split(re.sub(r"\.\.\.|[\[\]]", "", line.split(" && ")[0]))
        if all(word.isalpha() and word.islower() for word in words) or words[0] == "COMMAND" or "|" in line:
            continue
        try:
            build_parser().parse_args(words)
        except TrtmatrixError as error:
            pytest.fail(f"trtmatrix {line}: {error}")
        except SystemExit as ended:  # of --help and --print-completion
            if ended.code != 0:
                pytest.fail(f"trtmatrix {line}: {capsys.readouterr().err}")


def test_every_command_is_in_the_docs_and_has_help() -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    parser = build_parser()
    for name in COMMANDS:
        assert f"`trtmatrix {name}" in text
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([name, "--help"])
        assert ended.value.code == 0


def test_every_option_of_the_plugin_is_in_the_docs() -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    for option in OPTIONS:
        assert f"`{option.flag}" in text
        assert f"`{option.ini}`" in text


def test_the_matrix_page_is_a_matrix(tmp_path: Path) -> None:
    text = (ROOT / "docs/reference/matrix-file.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    path = tmp_path / "matrix.toml"
    path.write_text(block, encoding="utf-8")
    found = read_matrix(path)
    assert found.blocks[0].networks == ("mobilenet_v1", "mobilenet_v2")
    for item in COMMON:
        assert item.name in tomllib.loads(block)["block"][0], item.name


def test_the_matrix_page_lists_the_treatments_as_they_are_registered() -> None:
    text = (ROOT / "docs/reference/matrix-file.md").read_text(encoding="utf-8")
    rows = [
        f"| `{item.name}` | {item.allowed} | `{item.default}` | `{item.text('VALUE')}` | {item.meaning} |"
        for item in COMMON
    ]
    assert "\n".join(rows) in text


def test_words_of_the_glossary_are_defined_once() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\*\*([^*]+)\*\*:", text, re.M)
    assert len(words) == len(set(words)) > 20


def test_the_accepted_changes_of_the_page_are_read(tmp_path: Path) -> None:
    text = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    path = tmp_path / "accepted.toml"
    path.write_text(block, encoding="utf-8")
    (entry,) = read_accepted(path)
    assert (entry.verdict, entry.version, entry.host) == ("regressed", "8.6.*", "*")
