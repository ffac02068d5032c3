"""Bundles that a release wrote open, and are shown and reported as that release did it; judged as expected.

What is expected of the verdicts changes by a recorded decision alone (docs/decisions/), line by line.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.cli import judge, report, show
from harness.store.bundle import Bundle
from tests.cli.composed_runs import call

STORED = Path(__file__).parents[1] / "data" / "bundles" / "0.1.0"
NAMES = ("cpu", "gpu", "import")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked bundles."""
    folder = tmp_path_factory.mktemp("release")
    for name in NAMES:
        with tarfile.open(STORED / f"{name}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    return folder


def kept(old: Any, new: Any, where: str = "$") -> list[str]:
    """Return where *new* does not say what *old* says; it may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        lost = [f"{where}.{key}: lost" for key in old if key not in new]
        return lost + [
            line for key in old if key in new for line in kept(old[key], new[key], f"{where}.{key}")
        ]
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{where}: {len(old)} against {len(new)}"]
        return [
            line
            for i, (a, b) in enumerate(zip(old, new, strict=True))
            for line in kept(a, b, f"{where}[{i}]")
        ]
    return [] if old == new and type(old) is type(new) else [f"{where}: {old!r} against {new!r}"]


def stored(name: str) -> Any:
    """Return a stored output, its own schema left out."""
    data = json.loads((STORED / name).read_text(encoding="utf-8"))
    if isinstance(data, dict):
        data.pop("schema")
    return data


@pytest.mark.parametrize("name", NAMES)
def test_its_verdicts_are_those_expected_to_the_last_digit(
    runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(judge, str(runs / name), "--json") == 0
    old = stored(f"{name}.judge.json")
    assert old["verdicts"]
    assert kept(old, json.loads(capsys.readouterr().out)) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_cells_are_shown_as_before(runs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(show, str(runs / name), "--json") == 0
    assert kept(stored(f"{name}.show.json"), json.loads(capsys.readouterr().out)) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_report_says_the_same(runs: Path, tmp_path: Path, name: str) -> None:
    page, text = tmp_path / "page.html", tmp_path / "page.md"
    assert call(report, str(runs / name), "-o", str(page), "--markdown", str(text)) == 0
    lines = text.read_text(encoding="utf-8").splitlines()
    before = (STORED / f"{name}.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in before if line.startswith(("| ", "- **"))]
    assert rows
    assert [row for row in rows if row not in lines] == []
    assert page.stat().st_size > 50_000


def test_it_can_be_gone_on_with_in_the_present_form(runs: Path, tmp_path: Path) -> None:
    with tarfile.open(STORED / "cpu.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    bundle = Bundle.open(tmp_path / "cpu")
    manifest = bundle.manifest
    bundle.save()
    again = Bundle.open(tmp_path / "cpu")
    assert again.manifest == manifest == Bundle.open(runs / "cpu").manifest
    said = json.loads((tmp_path / "cpu" / "manifest.json").read_text(encoding="utf-8"))
    assert said["schema"] == "trtmatrix.bundle/2"
    assert {build.document.host.name for build in again.builds()} == {"vm-0035969ec53f"}
