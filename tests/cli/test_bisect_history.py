"""``trtmatrix bisect --history``: between which nights, and with which driver."""

from __future__ import annotations

import json

import pytest

from harness.cli import bisect
from harness.errors import BadOptionError, NothingChosenError, OptionsContradictError
from tests.cli.composed_runs import call
from tests.history.composed import add_night, night_bundle

pytest.importorskip("duckdb", reason="the extra 'history' is not installed")

CHANGED, NIGHTS = 11, 20


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("nights")
    for number in range(NIGHTS):
        after = number >= CHANGED
        scatter = (1.002, 0.999, 1.001)[number % 3]
        latencies = {"1.0": 2.0 * scatter, "2.0": (1.2 if after else 1.0) * scatter}
        driver = "550.2" if after else "535.1"
        add_night(folder / "history", night_bundle(folder, number, latencies, driver=driver))
    return str(folder / "history")


def test_the_nights_and_the_driver_are_named(history: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bisect, "--history", history) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("latency of mobilenet_v2 fp32-b1-clip on openvino 2.0 (host-a): +20.0 % between ")
    assert "(2026-02-09) and " in line
    assert line.endswith("(2026-02-10); driver 535.1 -> 550.2")


def test_as_json_and_only_what_is_asked_for(history: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bisect, "--history", history, "--versions", "2.0", "--json") == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["day_before"], change["day_after"]) == ("2026-02-09", "2026-02-10")
    assert change["low"] < change["size"] < change["high"]
    assert call(bisect, "--history", history, "--versions", "1.0") == 0
    assert capsys.readouterr().out == "no change between any of these nights\n"


def test_what_cannot_be_asked_is_one_line(history: str) -> None:
    with pytest.raises(NothingChosenError, match="no series of these names"):
        call(bisect, "--history", history, "--network", "resnet")
    with pytest.raises(OptionsContradictError, match="name one of them"):
        call(bisect, "run", "--history", history)
    with pytest.raises(BadOptionError, match="name stored runs or a matrix file"):
        call(bisect)
