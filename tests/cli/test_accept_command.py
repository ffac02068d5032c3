"""``trtmatrix accept``: from a failing judge to a quiet one (composed times)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.analysis.accepted import read_accepted
from harness.cli import accept, judge
from harness.cli.accept import last_day
from harness.errors import BadOptionError, NothingToAcceptError
from tests.cli.composed_runs import bundle, call
from tests.history.composed import add_night, night_bundle


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return str(bundle(tmp_path / "run", {"2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 4.5}))


def test_a_change_fails_until_it_is_accepted(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(judge, run, "--fail-on", "regressed") == 1
    words = ["--reason", "a bias that we want", "--until", "2999-03-31", "--fail-on", "regressed"]
    assert call(accept, run, *words, "--version", "2024.6.*") == 0
    assert "accepted until 2999-03-31: latency of mobilenet_v2" in capsys.readouterr().out
    (entry,) = read_accepted(Path("trtmatrix-accepted.toml"))
    assert (entry.version, entry.reason, entry.expires) == (
        "2024.6.0",
        "a bias that we want",
        date(2999, 3, 31),
    )
    assert call(judge, run, "--fail-on", "regressed") == 1  # the other change
    assert call(accept, run, *words) == 0
    assert len(read_accepted(Path("trtmatrix-accepted.toml"))) == 2
    assert call(judge, run, "--fail-on", "regressed") == 0


def test_what_changed_since_earlier_nights_is_accepted_with_their_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb", reason="a history is read with DuckDB, the extra 'history'")
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        add_night(tmp_path / "history", night_bundle(tmp_path, number, {"1.0": 2.0 + 0.004 * (number % 2)}))
    changed = night_bundle(tmp_path, 4, {"1.0": 2.5})
    add_night(tmp_path / "history", changed)
    words = [str(changed), "--fail-on", "regressed", "--history", "history"]
    assert call(judge, *words) == 1
    with pytest.raises(NothingToAcceptError, match="--history DIR adds those on earlier nights"):
        call(accept, *words[:3], "--reason", "we want it")
    assert call(accept, *words, "--reason", "we want it") == 0
    assert "latency of mobilenet_v2" in capsys.readouterr().out
    assert call(judge, *words) == 0


def test_what_fails_nothing_cannot_be_accepted(run: str) -> None:
    with pytest.raises(NothingToAcceptError, match="nothing asked for fails"):
        call(accept, run, "--reason", "why not")
    assert not Path("trtmatrix-accepted.toml").exists()


@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "2020-01-01"])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadOptionError, match="--until"):
        last_day(text)


def test_without_a_day_a_change_is_looked_at_again_in_a_quarter() -> None:
    assert last_day(None, date(2026, 1, 1)) == date(2026, 4, 1)
