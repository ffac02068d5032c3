"""The pages of docs/results say what the published bundles say, judged by the table in force."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.published_results import ANSWERS, PAGES, README, RESULTS, files
from harness.cli import main

MOST_BYTES = 10_000_000
"""Of all published bundles together: a clone carries them."""


def test_each_file_is_what_its_bundle_says() -> None:
    made = files()
    kept = {
        path: path.read_text(encoding="utf-8")
        for path in (README, *PAGES.glob("*.md"), *ANSWERS.glob("*.json"))
        if path.suffix != ".md" or "benchmarks/published_results.py" in path.read_text(encoding="utf-8")
    }
    assert len(kept) > 3, "there are published bundles"
    assert kept == made


def test_the_bundles_are_small_enough_for_a_clone() -> None:
    assert sum(path.stat().st_size for path in RESULTS.iterdir()) <= MOST_BYTES


def test_what_the_readme_says_of_tftrt_stands_in_its_table() -> None:
    start = "The complaint about TF-TRT is alive"
    text = README.read_text(encoding="utf-8")
    said = text[text.index(start) :].split("\n\n")[0]
    table = (PAGES / "tensorflow-tftrt-h200.md").read_text(encoding="utf-8")
    figures = re.findall(r"\d+\.\d+(?= ms| %)", said)
    assert len(figures) == 6
    assert [figure for figure in figures if figure not in table] == []
    said = " ".join(said.split())
    ends = re.findall(r"(\d\.\d\d) \((\d\.\d\d to \d\.\d\d)\) times", said)
    assert len(ends) == 9
    factors = [f"{middle} times ({interval})" for middle, interval in ends]
    assert [factor for factor in factors if factor not in table] == []


def test_what_the_readme_says_of_kernels_stands_in_its_table() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    table = (PAGES / "tensorrt-neighbours-h200.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"\((\d+) of (\d+) before, (\d+) or (\d+) after\)", text)
    before, of, least, most = map(int, said)
    (row,) = re.findall(
        r"^\| mobilenet_v1 fp16-b8\S* \| \S+ \| ([\d, ]+) of (\d+) \| ([\d, ]+) of", table, re.M
    )
    assert ({int(x) for x in row[0].split(",")}, int(row[1])) == ({before}, of)
    assert {int(x) for x in row[2].split(",")} == {least, most}
    families = re.findall(
        r"^\| (\S+) \S+ \| \S+ \|(?: [\d, ]+ of \d+ \|){2} ([\d, ]+) → ([\d, ]+) \|", table, re.M
    )
    chosen = {name: sorted(old.split(", ")) + sorted(new.split(", ")) for name, old, new in families}
    assert "chosen for one layer in one of two builds of SSD MobileNet v2, on either version" in text
    assert chosen.pop("ssd_mobilenet_v2") == ["0", "1", "0", "1"]
    assert {count for counts in chosen.values() for count in counts} == {"0"}, "in no engine of the others"


def test_the_bug_report_out_of_a_bundle_is_what_its_command_writes(tmp_path: Path) -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^    trtmatrix (reproduce .*)$", text, re.M)
    *words, _, kept = line.split()
    assert main([*words, "-o", str(tmp_path / "made")]) == 0
    names = sorted(path.name for path in Path(kept).iterdir())
    assert names == sorted(path.name for path in (tmp_path / "made").iterdir())
    for name in names:
        assert (tmp_path / "made" / name).read_bytes() == Path(kept, name).read_bytes(), name
