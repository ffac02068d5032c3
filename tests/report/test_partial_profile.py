"""A part of a profile in the report: findings, no shares of the whole."""

from __future__ import annotations

from pathlib import Path

from harness.plugins.reading import observe
from harness.recordings.importing import import_recording
from harness.recordings.recording import Recording
from tests.attribution.recorded import RECORDINGS, V2_860
from tests.attribution.recorded_rows import PREFIX, ROWS, printed
from tests.report.composed import analysed


def test_eleven_rows_show_findings_and_no_shares(tmp_path: Path) -> None:
    rows = tmp_path / "rows.txt"
    rows.write_text("\n".join(map(printed, ROWS)) + "\n")
    import_recording(Recording({rows: "profile"}, version="5"), tmp_path / "run")
    ((view,),) = ([row.times for row in analysed(observe([tmp_path / "run"]), []).rows],)
    assert view is not None
    assert [share for bar in view.classes for _, _, share in bar.parts] == [None] * 4
    assert f"tensorrt 5: {PREFIX}depthwise/Relu6: in pieces, 3 layers, 0.184 ms" in view.remarks
    assert len(view.remarks) == 3


def test_a_whole_profile_shows_shares_and_no_findings(tmp_path: Path) -> None:
    profile = {RECORDINGS / V2_860 / "profile.json": "profile"}
    import_recording(Recording(profile, version="8.6.0", network="mobilenet_v2"), tmp_path / "run")
    ((view,),) = ([row.times for row in analysed(observe([tmp_path / "run"]), []).rows],)
    assert view is not None
    assert sum(share or 0.0 for _, _, share in view.classes[0].parts) > 0.999
    assert view.remarks == ()
