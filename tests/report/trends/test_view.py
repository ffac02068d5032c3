"""The page of nights: what is new, what is open, links, and names that would break a page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from harness.history.open_changes import OpenChange
from harness.history.records import Series
from harness.report.trends.render import render_trends
from harness.report.trends.view import TrendsPage, labels_of, trends_page
from tests.report.browser import CHROMIUM, open_page
from tests.report.parsed import Parsed
from tests.report.payloads import PAYLOADS
from tests.report.trends.series import FIRST, SUBJECT, change, nights, series

STEP = [4.0] * 6 + [4.5] * 4


def page(all_series: list[Series], **said: object) -> TrendsPage:
    return trends_page(nights(10), all_series, made="now", harness_version="1", **said)  # type: ignore[arg-type]


def changed(index: int, seen: int, size: float, measure: str = "latency") -> Series:
    made = series(STEP, measure)
    return replace(made, changes=(change(made, index, seen, size),))


def test_what_the_last_night_confirmed_is_new_and_what_earlier_ones_did_is_open() -> None:
    found = page([changed(6, 9, 1.125), changed(6, 7, 1.125, "layers"), changed(6, 7, 0.9, "build_seconds")])
    (new,), (still,) = found.new, found.open
    assert (new.measure, new.by, new.since, new.seen) == ("latency", "+12.5 %", "2026-11-07", "2026-11-10")
    assert new.sure == "+11.5 % to +13.5 %"
    assert (still.measure, still.facts) == ("layers", ("driver 1 -> 2",))


def test_a_measure_that_may_be_0_changes_by_a_difference_and_adoption_has_no_worse() -> None:
    found = page([changed(6, 9, 0.5, "adoption:gemm"), changed(6, 9, -0.25, "cost:relu6")])
    assert [(row.kind, row.by) for row in found.new] == [("moved", "+0.500 ms"), ("better", "−0.250 ms")]


def test_changed_series_come_first_and_every_value_is_there() -> None:
    found = page(
        [series(STEP, "layers"), changed(6, 9, 1.125), series([4.0, None, 4.1], "build_seconds", "s")]
    )
    assert [row.series.measure for row in found.rows] == ["latency", "layers", "build_seconds"]
    assert found.rows[2].values == "4,,4.1"
    assert found.rows[0].command == (
        "trtmatrix run nightly.toml -k 'mobilenet_v2 and fp32-b1-clip and openvino' --out again"
    )


def test_versions_of_a_host_stand_in_one_figure() -> None:
    other = SUBJECT._replace(version="2025.0.0")
    elsewhere = SUBJECT._replace(host="host-b")
    found = page([series(STEP), series(STEP, subject=other), series(STEP, subject=elsewhere)])
    assert [[release for _, release, _ in figure.lines] for figure in found.figures] == [
        ["openvino 2024.6.0", "openvino 2025.0.0"],
        ["openvino 2024.6.0"],
    ]


def test_the_page_of_no_nights_says_how_to_add_one() -> None:
    html = render_trends(trends_page([], [], made="now", harness_version="1"))
    assert "trtmatrix history add RUN" in html


def test_names_are_texts_and_the_page_names_nothing_outside_itself() -> None:
    hostile = "".join(PAYLOADS)
    made = series(STEP, subject=SUBJECT._replace(network=hostile, host=hostile))
    html = render_trends(page([replace(made, changes=(change(made, 6, 9, 1.125),))], title=hostile))
    parsed = Parsed(html)
    assert (parsed.tags["script"], parsed.tags["img"], parsed.handlers, parsed.loaded) == (2, 0, [], [])
    assert set(parsed.links) - {"main"} <= set(parsed.ids)
    assert hostile in parsed.text
    (data,) = re.findall(r'<script type="application/json" id="nights-data">(.*?)</script>', html, re.S)
    assert len(json.loads(data)["days"]) == 10


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_it_opens_in_silence_and_its_script_runs(tmp_path: Path) -> None:
    path = tmp_path / "trends.html"
    path.write_text(render_trends(page([changed(6, 9, 1.125), series(STEP, "layers")])), encoding="utf-8")
    opened = open_page(path, tmp_path / "profile")
    assert opened.console == []
    assert 'id="tools">' in opened.html  # no longer hidden
    assert len(re.findall(r'<svg[^>]*tabindex="0"', opened.html)) == 2


def test_several_nights_of_one_day_are_told_apart_by_their_hour() -> None:
    several = [
        structs.replace(night, started=FIRST + timedelta(minutes=20 * at))
        for at, night in enumerate(nights(3))
    ]
    labels = labels_of(several)
    assert list(labels.values()) == ["2026-11-01 02:00", "2026-11-01 02:20", "2026-11-01 02:40"]
    elsewhere = [structs.replace(night, hosts=[f"host-{at}"]) for at, night in enumerate(several)]
    assert set(labels_of(elsewhere).values()) == {"2026-11-01"}


def test_what_alarmed_and_is_open_stands_on_the_page_with_its_first_night() -> None:
    left = OpenChange("2026-11-07", "regressed", "1.12 times", "mobilenet_v2-x", "host-a", "latency", "n6")
    html = render_trends(page([series(STEP)], left=[left]))
    assert "since 2026-11-07: latency of mobilenet_v2-x on host-a" in Parsed(html).text
    assert "No change for the worse is left over" not in html


def test_what_is_open_of_a_cell_is_one_entry_and_its_series_comes_first() -> None:
    quiet, loud = series(STEP, subject=SUBJECT._replace(version="1.0")), series(STEP)
    left = [
        OpenChange("2026-11-07", "regressed", text, loud.subject.cell, "host-a", measure, "n6", against)
        for text, measure, against in (
            ("a third", "depthwise", ""),
            ("of the other", "latency", "x"),
            ("of nights", "latency", ""),
        )
    ]
    made = page([quiet, loud], left=left)
    assert [(cell.first.text, [one.text for one in cell.others]) for cell in made.left] == [
        ("of nights", ["of the other", "a third"])
    ]
    assert [(row.series, row.open_since) for row in made.rows] == [(loud, "2026-11-07"), (quiet, "")]
    assert (
        "also regressed since 2026-11-07: depthwise, against earlier nights"
        in Parsed(render_trends(made)).text
    )


def test_a_night_with_an_alarm_does_not_say_that_nothing_changed() -> None:
    quiet = nights(2)
    loud = [quiet[0], structs.replace(quiet[1], alarms=["latency of it: regressed"])]
    for own, said in ((quiet, True), (loud, False)):
        html = render_trends(trends_page(own, [series([4.0, 4.1])], made="now", harness_version="1"))
        assert ("Nothing changed that this night could confirm" in html) is said
