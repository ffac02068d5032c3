"""Accepting verdicts: what is written is read back, fits its verdict, and leaves what was there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.accepted import Accepted, read_accepted
from harness.analysis.accepting import accepting, add_accepted, differing
from harness.analysis.verdict import Verdict

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    names = [draw(TEXTS) for _ in range(6)]
    return Verdict(*names, "regressed", "slower", "cell")


@given(verdicts(), TEXTS, st.dates(date(2026, 1, 1), date(2999, 12, 31)))
def test_what_is_written_is_read_back_and_fits(verdict: Verdict, reason: str, expires: date) -> None:
    entry = accepting(verdict, reason, expires)
    assert entry.fits(verdict)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "accepted.toml"
        add_accepted(path, [entry])
        add_accepted(path, [entry])
        assert read_accepted(path) == [entry, entry]


def test_comments_stay_and_what_is_there_is_not_added(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(
        '# ours\n[[accepted]]\nverdict = "invalid"\nreason = "x"\nexpires = 2999-01-01\n', encoding="utf-8"
    )
    new = Accepted("regressed", "y", date(2999, 1, 1), version="2")
    add_accepted(path, differing([new, new], read_accepted(path)))
    assert path.read_text(encoding="utf-8").startswith("# ours\n")
    assert [entry.verdict for entry in read_accepted(path)] == ["invalid", "regressed"]
    assert differing([new], read_accepted(path)) == []
