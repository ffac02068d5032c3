"""Runtimes beside each other in words: the newest version of each, over all cases."""

from __future__ import annotations

import pytest

from harness.analysis.answers.beside import beside, newest, subjects
from harness.analysis.answers.leads import how_fast_others_are
from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable, Shares
from harness.analysis.groups import Latency
from harness.analysis.hosts import HostNames
from tests.analysis.answers.rows import NO_HOSTS


def figures(
    release: str,
    speed_up: float | None = None,
    *,
    label: str = "",
    reformats: float | None = None,
    interval: tuple[float, float] | None = None,
    against: str = "tensorrt 2.0",
    builds: int = 2,
    by_gpu: bool = False,
) -> RuntimeFigures:
    """One row; *reformats* is their part of its layer time."""
    shares = None if reformats is None else Shares(1 - reformats, reformats, 0.0)
    latency = Latency((1.0,) * builds, 1.0, None)
    against = "" if speed_up is None else against
    return RuntimeFigures(release, label, latency, None, None, speed_up, interval, shares, by_gpu, against)


def table(
    *rows: RuntimeFigures, network: str = "net", treatment: str = "fp32-b1", host: str = "host-a"
) -> RuntimeTable:
    """Rows beside TensorRT's own."""
    return RuntimeTable(network, treatment, host, "tensorrt", (figures("tensorrt 2.0"), *rows))


def test_the_newest_version_of_each_other_runtime_speaks_for_it() -> None:
    rows = (
        figures("openvino 2024.10", 2.0),
        figures("openvino 2024.9", 3.0),
        figures("tftrt 1.9", 4.0, label="gpu"),
        figures("tensorrt 1.0", 0.5),
        figures("tftrt 1.10", 5.0, label="gpu"),
        figures("tftrt 1.8", 6.0),
        figures("onnxruntime 1.0"),
    )
    assert [row.name for row in newest(table(*rows))] == ["openvino 2024.10", "tftrt 1.10 gpu", "tftrt 1.8"]
    assert newest(table()) == ()


def test_of_equal_versions_the_first_row_speaks() -> None:
    first, second = figures("openvino 1", 2.0), figures("openvino 1", 3.0)
    assert [row.speed_up for row in newest(table(first, second))] == [2.0]


def test_cases_are_called_by_what_differs_of_them() -> None:
    tables = [table(treatment="fp32-b1-clip"), table(treatment="fp16-b1-clip", network="other")]
    assert subjects(tables, NO_HOSTS) == ("net fp32", "other fp16")
    assert subjects(tables[:1], NO_HOSTS) == ("net",)
    assert subjects([], NO_HOSTS) == ()
    hosts = HostNames({"host-a": "a", "host-b": "b"}, {})
    twice = [table(), table(host="host-b"), table(network="other")]
    assert subjects(twice, hosts) == ("net on a", "net on b", "other"), "a host only where it tells apart"


def test_gains_are_said_case_by_case_with_their_intervals() -> None:
    first = table(
        figures("openvino 1", 0.5, interval=(0.4, 0.6), reformats=0.25),
        figures("tftrt 1", 2.0, interval=(1.5, 2.5), reformats=0.125),
    )
    second = table(figures("openvino 1", 3.0, interval=(2.0, 4.0)), network="other")
    assert beside([first, second], NO_HOSTS, 2) == (
        "By the host's clock, net: openvino 1 is 0.50 times as fast as tensorrt 2.0 (0.40 to 0.60), "
        "25.0 % of its layer time in reformats; tftrt 1 is 2.00 times as fast (1.50 to 2.50), "
        "12.5 % in reformats. other: openvino 1 is 3.00 times as fast (2.00 to 4.00)."
    )
    assert beside([first, second, second], NO_HOSTS, 1).endswith(" And 2 more networks and treatments.")
    assert beside([table()], NO_HOSTS, 3) == ""
    assert beside([], NO_HOSTS, 3) == ""


@pytest.mark.parametrize(
    ("builds", "by_gpu", "note"),
    [
        (1, False, " No interval where a side has one build."),
        (
            2,
            True,
            " No interval where a side has one build. Of openvino 1 by the GPU's own, without launches.",
        ),
    ],
)
def test_what_the_numbers_lack_is_said_after_them(builds: int, by_gpu: bool, note: str) -> None:
    said = beside([table(figures("openvino 1", 2.0, builds=builds, by_gpu=by_gpu))], NO_HOSTS, 3)
    assert said == f"By the host's clock, net: openvino 1 is 2.00 times as fast as tensorrt 2.0.{note}"


def test_one_build_each_is_said_as_that() -> None:
    one = RuntimeTable(
        "net",
        "fp32",
        "h",
        "tensorrt",
        (figures("tensorrt 2.0", builds=1), figures("openvino 1", 2.0, builds=1)),
    )
    assert beside([one], NO_HOSTS, 3).endswith(". One build each: no interval.")


def test_what_nobody_names_has_no_note() -> None:
    first = table(figures("openvino 1", 2.0, interval=(1.5, 2.5)))
    second = table(figures("openvino 1", 2.0, by_gpu=True), network="other")
    assert "GPU's own" not in beside([first, second], NO_HOSTS, 1)
    assert "GPU's own" in beside([first, second], NO_HOSTS, 2)


def test_speeds_are_said_runtime_by_runtime_over_the_cases() -> None:
    tables = [
        table(figures("openvino 1", 0.5, reformats=0.05), figures("tftrt 1", 2.0, reformats=0.125)),
        table(figures("openvino 1", 0.75, reformats=0.0625), figures("tftrt 1", 3.0), network="other"),
        table(network="alone"),
    ]
    assert how_fast_others_are(tables, NO_HOSTS) == (
        "openvino 1 is 0.50 times as fast as tensorrt 2.0 on net, 0.75 on other; "
        "tftrt 1 2.00 times on net, 3.00 on other (12.5 % of its layer time in reformats)."
    )
    assert how_fast_others_are(tables[2:], NO_HOSTS) == ""


def test_reformats_are_said_from_a_tenth_of_the_layer_time_on() -> None:
    tables = [
        table(figures("tftrt 1", 2.0, reformats=share), network=name)
        for name, share in (("a", 0.1), ("b", 0.02))
    ]
    assert how_fast_others_are(tables, NO_HOSTS).endswith(" (2.0 to 10.0 % of its layer time in reformats).")
    assert "reformats" not in how_fast_others_are(tables[1:], NO_HOSTS)


def test_four_cases_are_named_and_others_counted() -> None:
    tables = [table(figures("openvino 1", 2.0), network=name) for name in "abcde"]
    said = how_fast_others_are(tables, NO_HOSTS)
    assert said.endswith("on a, 2.00 on b, 2.00 on c, 2.00 on d; 1 more case below.")
    assert "below" not in how_fast_others_are(tables[:4], NO_HOSTS)


def test_speed_ups_over_several_releases_are_over_the_runtime() -> None:
    tables = [
        table(figures("openvino 1", 2.0, against=f"tensorrt {version}"), network=version)
        for version in ("1.0", "2.0")
    ]
    assert how_fast_others_are(tables, NO_HOSTS) == (
        "openvino 1 is 2.00 times as fast as tensorrt on 1.0, 2.00 on 2.0."
    )
    assert " as fast as tensorrt 1.0 on net" in how_fast_others_are(
        [table(figures("openvino 1", 2.0, against="tensorrt 1.0"))], NO_HOSTS
    )
