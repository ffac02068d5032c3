"""Files of one build read together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.evidence.reader import read_file
from harness.evidence.record import FileFacts, Record
from harness.evidence.records import EngineLayer, InferenceTime, LayerTime
from harness.runtimes.recorded import gpu_times, is_partial, merge, read_recorded
from harness.runtimes.tensorrt.runtime import TensorRT
from harness.store.files import write_json
from tests.attribution.recorded import RECORDINGS, V2_860


def record(*kinds: str, **rows: object) -> Record:
    return Record("file", FileFacts(kinds), **rows)  # type: ignore[arg-type]


def test_an_export_of_layers_goes_before_the_list_in_a_log() -> None:
    log = record("builder_log", "engine_layers", engine_layers=(EngineLayer(0, "from the log"),))
    export = record("engine_layers", engine_layers=(EngineLayer(0, "exported"),))
    assert merge([("", log), ("", export)]).layers[0].name == "exported"
    assert merge([("log", log)]).layers[0].name == "from the log"
    # What the user says of a file goes before what it looks like.
    assert merge([("layers", log), ("", export)]).layers[0].name == "from the log"


def test_a_profile_is_taken_from_one_file() -> None:
    first = record("profile", profile=(LayerTime(0, "first"),))
    second = record("profile", profile=(LayerTime(0, "second"),))
    assert [row.name for row in merge([("", first), ("", second)]).times] == ["first"]
    assert [row.name for row in merge([("", first), ("profile", second)]).times] == ["second"]


@pytest.mark.parametrize(
    ("shares", "partial"),
    [((60.0, 40.0), False), ((60.0, 39.1), False), ((2.0, 0.8), True), ((60.0, None), False), ((), False)],
)
def test_shares_that_do_not_add_up_make_a_part(shares: tuple[float | None, ...], partial: bool) -> None:
    assert is_partial([LayerTime(0, "x", percent=share) for share in shares]) is partial


def test_times_of_single_inferences() -> None:
    runs = (
        InferenceTime(gpu_ms=0.5, enqueue_ms=0.1),
        InferenceTime(enqueue_ms=0.2),
        InferenceTime(gpu_ms=0.6),
    )
    assert gpu_times([("", record("times", times=runs))]) == {
        "latency_ms": [0.5, 0.6],
        "enqueue_ms": [0.1, None],
    }
    assert gpu_times([("", record("times", times=(InferenceTime(host_ms=1.0),)))]) == {}
    assert gpu_times([]) == {}


def test_a_recording_is_read_whole_and_without_a_warning() -> None:
    files = ("build.log.gz", "layers.json.gz", "profile.json", "times.json")
    found = merge([("", read_file(RECORDINGS / V2_860 / name)) for name in files])
    assert found.warnings == ()
    assert (len(found.layers), len(found.times), found.iterations) == (90, 90, 60)
    assert found.layers[0].attributes["kernel"] == [3, 3]
    assert found.tactics
    assert found.combinations
    assert str(found.facts["tensorrt"]).startswith("8.6.0")


def test_a_build_folder_that_lost_a_file(tmp_path: Path) -> None:
    write_json(tmp_path / "result.json", {"facts": {"recorded": True, "files": {"gone.json": "profile"}}})
    with pytest.raises(InputError, match=r"gone\.json: is missing from the bundle; import the files again"):
        read_recorded(tmp_path)
    write_json(tmp_path / "result.json", {"facts": {"recorded": True, "files": ["a"]}})
    with pytest.raises(InputError, match=r"facts\.files: expected objects"):
        read_recorded(tmp_path)


def test_what_was_stated_goes_before_what_the_files_print(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "p.json").write_bytes((RECORDINGS / V2_860 / "profile.json").read_bytes())
    facts = {"recorded": True, "files": {"p.json": "profile"}, "tensorrt": "8.6.0", "partial": True}
    write_json(tmp_path / "result.json", {"facts": facts})
    found = TensorRT().read(tmp_path)
    assert (found.facts["tensorrt"], found.partial) == ("8.6.0", True)
    assert replace(found, facts={}) == replace(read_recorded(tmp_path), facts={})
