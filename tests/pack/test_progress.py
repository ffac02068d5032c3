"""What is said while a pack is made: what there is to do, then size and time version by version."""

from __future__ import annotations

from pathlib import Path

from harness.pack.progress import PackProgress, megabytes


def test_versions_are_counted_and_the_rest_is_told_from_those_before(tmp_path: Path) -> None:
    said: list[str] = []
    progress = PackProgress(["tensorrt 8.5.3.1", "tensorrt 8.6.0"], tmp_path, said.append)
    progress.begin(14, 5)
    assert said[0].startswith(
        "to pack: 2 versions (tensorrt 8.5.3.1, tensorrt 8.6.0) for 14 cells, 5 builds each; "
    )
    assert said[0].endswith(" are free")
    progress.version("tensorrt 8.5.3.1")
    (tmp_path / "one").write_bytes(b"x" * 3_000_000)
    progress.ended()
    assert said[1] == "[1/2] tensorrt 8.5.3.1"
    assert said[2].startswith("[1/2] 3.0 MB after ")
    assert "; 1 to go: as much for each would be 3.0 MB and " in said[2]
    progress.version("tensorrt 8.6.0")
    progress.ended()
    assert said[4].startswith("[2/2] 3.0 MB after ")
    assert "to go" not in said[4]
    assert [megabytes(1.25e9), megabytes(1.25e8)] == ["1.2 GB", "125.0 MB"]
