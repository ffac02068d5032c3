"""Accepted changes: what they fit, when they expire, and what a bad file is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.analysis.accepted import (
    ACCEPTED_FILE,
    Accepted,
    accepted_changes,
    read_accepted,
    with_accepted,
)
from harness.analysis.verdict import Verdict
from harness.errors import InputError

GOOD = """
[[accepted]]
verdict = "regressed"
bottleneck = "relu6"
version = "8.6.*"
reason = "the whole network is faster"
expires = 2027-03-31
"""


def verdict(**fields: str) -> Verdict:
    known = {
        "bottleneck": "relu6",
        "network": "mobilenet_v2",
        "treatment": "fp32-b1-clip",
        "runtime": "tensorrt",
    }
    known |= {"version": "8.6.0", "host": "host-a", "verdict": "regressed", "reason": "", "cell": "c"}
    return Verdict(**{**known, **fields})  # type: ignore[arg-type]


def written(folder: Path, text: str) -> Path:
    path = folder / "accepted.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_fits_by_patterns_and_word(tmp_path: Path) -> None:
    (entry,) = read_accepted(written(tmp_path, GOOD))
    assert entry.fits(verdict())
    assert not entry.fits(verdict(version="8.5.3.1"))
    assert not entry.fits(verdict(bottleneck="latency"))
    assert not entry.fits(verdict(verdict="invalid"))


def test_counts_through_its_last_day() -> None:
    entry = Accepted("regressed", "known", date(2027, 3, 31))
    for today, noted in ((date(2027, 3, 31), True), (date(2027, 4, 1), False)):
        (found,) = with_accepted([verdict()], [entry], today)
        assert (found.accepted is not None) is noted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"expected \[\[accepted\]\] tables"),
        ("accepted = 1", r"expected \[\[accepted\]\] tables"),
        ("accepted = [1]", r"accepted\[0\]: expected a table"),
        (GOOD + "[other]\n", r"expected \[\[accepted\]\] tables"),
        (GOOD.replace("reason =", "because ="), r"accepted\[0\].because: unknown key; known are bottleneck"),
        (GOOD.replace('reason = "the whole network is faster"', ""), "'reason' is missing"),
        (GOOD.replace('reason = "the whole network is faster"', 'reason = ""'), "'reason' is missing"),
        (GOOD.replace("expires = 2027-03-31", ""), "'expires' is missing"),
        (GOOD.replace("2027-03-31", '"2027-03-31"'), "expected a date like 2027-03-31"),
        (GOOD.replace("2027-03-31", "2027-03-31T00:00:00"), "expected a date like 2027-03-31"),
        (GOOD.replace('"8.6.*"', "8"), r"accepted\[0\].version: expected a text"),
        (GOOD.replace('"regressed"', '"slower"'), "expected one of removed, reduced"),
        ("[[accepted]", "is no TOML"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_accepted(written(tmp_path, text))
    assert "accepted.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_accepted(tmp_path / "none.toml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_accepted(path)


def test_what_is_said_of_a_key_that_is_not_known_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_accepted(written(tmp_path, GOOD + "since = 2026-01-01"))
    assert caught.value.where == "accepted[0].since"
    assert caught.value.problem == (
        "unknown key; known are bottleneck, expires, host, network, reason, runtime, treatment, verdict, "
        "version"
    )


def test_the_words_that_can_be_accepted_are_those_of_a_verdict(tmp_path: Path) -> None:
    words = ("removed", "reduced", "unchanged", "regressed", "present", "absent")
    for word in (*words, "indeterminate", "invalid", "unsupported"):
        (entry,) = read_accepted(written(tmp_path, GOOD.replace('"regressed"', f'"{word}"')))
        assert entry.fits(verdict(verdict=word))


@pytest.mark.parametrize("name", ["bottleneck", "network", "treatment", "runtime", "version", "host"])
def test_each_pattern_is_held_against_its_own_field(name: str) -> None:
    entry = Accepted("regressed", "known", date(2027, 3, 31), **{name: "own-*"})
    assert entry.fits(verdict(**{name: "own-thing"}))
    assert not entry.fits(verdict(**{name: "Own-thing"})), "as letters stand, on every system"
    assert not entry.fits(verdict())


def test_the_first_entry_that_fits_and_lives_gives_its_reason() -> None:
    today = date(2026, 12, 1)
    entries = [
        Accepted("regressed", "of another host", today, host="host-b"),
        Accepted("regressed", "too old", date(2026, 11, 30)),
        Accepted("regressed", "taken", date(2026, 12, 24), version="8.6.*"),
        Accepted("regressed", "later", date(2027, 1, 1)),
    ]
    fitting, other = with_accepted([verdict(), verdict(version="7.0")], entries, today)
    assert fitting.accepted == {"reason": "taken", "expires": "2026-12-24"}
    assert other.accepted == {"reason": "later", "expires": "2027-01-01"}
    assert with_accepted([verdict()], [], today) == [verdict()]


def test_without_a_day_today_counts() -> None:
    past, future = date(2000, 1, 1), date(9999, 12, 31)
    entries = [Accepted("regressed", "r", day) for day in (past, future)]
    noted = [with_accepted([verdict()], [entry])[0].accepted for entry in entries]
    assert noted == [None, {"reason": "r", "expires": "9999-12-31"}]


def test_a_line_of_toml_that_is_none_is_quoted_in_lower_case(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"accepted\.toml: is no TOML: expected '\]\]' at"):
        read_accepted(written(tmp_path, "[[accepted]"))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_accepted(tmp_path)


def test_the_file_beside_a_command_is_read_where_no_other_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert accepted_changes(None) == []
    other = written(tmp_path, GOOD)
    assert [entry.bottleneck for entry in accepted_changes(other)] == ["relu6"]
    (tmp_path / ACCEPTED_FILE).write_text(GOOD.replace("relu6", "latency"), encoding="utf-8")
    assert [entry.bottleneck for entry in accepted_changes(None)] == ["latency"]
    assert [entry.bottleneck for entry in accepted_changes(other)] == ["relu6"]


@pytest.mark.parametrize("key", ["verdict", "reason", "expires"])
def test_a_missing_key_is_named_with_its_place(tmp_path: Path, key: str) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    path = written(tmp_path, GOOD + "\n".join(lines))
    with pytest.raises(InputError) as caught:
        read_accepted(path)
    assert f"'{key}' is missing: a change is accepted with a reason and an expiry" in str(caught.value)
    assert "accepted[1]" in str(caught.value)


def test_the_first_that_fits_and_lives_is_noted_and_all_else_is_as_it_was() -> None:
    old = Accepted("regressed", "long ago", date(2026, 1, 1))
    first, second = (Accepted("regressed", why, date(2027, 1, 1)) for why in ("first", "second"))
    given = [verdict(), verdict(verdict="reduced")]
    found = with_accepted(given, [old, first, second], date(2026, 6, 1))
    assert found[0].accepted == {"reason": "first", "expires": "2027-01-01"}
    assert found[1] is given[1]
