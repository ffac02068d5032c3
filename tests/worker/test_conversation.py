"""The asking side, and a real worker's: answers and commands out of place, slices as they are asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments.base import Limits, WorkerConversation
from harness.environments.interpreter import PreparedInterpreter
from harness.worker.conversation import Conversation, WorkerEndedError
from harness.worker.messages import encode
from tests.worker.typed import typed
from tests.worker.worker_jobs import worker_of, write_job


class Scripted(Conversation):
    """A worker that answers what it was told to, whatever it is asked."""

    def __init__(self, *answers: bytes, seconds: float = 60.0) -> None:
        super().__init__(seconds)
        self._script = list(answers)

    def send(self, data: bytes) -> None:
        """Answer with the next line of the script."""
        del data
        if self._script:
            self.received(self._script.pop(0))


def test_an_answer_to_another_command_ends_the_conversation() -> None:
    conversation = Scripted(encode({"answer": "load", "status": "ok", "reason": ""}))
    with pytest.raises(WorkerEndedError):
        conversation.ask("build")
    assert conversation.cut[0] == "failed"
    assert conversation.cut[1].startswith("the worker did not answer 'build': {'answer': 'load'")
    with pytest.raises(WorkerEndedError):
        conversation.ask("load")


def test_a_worker_that_says_nothing_meets_the_limit() -> None:
    conversation = Scripted(seconds=0.3)
    begin = time.monotonic()
    with pytest.raises(WorkerEndedError):
        conversation.ask("load")
    assert 0.3 <= time.monotonic() - begin < 10
    assert conversation.cut == ("time_limit", "still running 'load' after the limit of 0.3 s")


def test_the_first_reason_is_the_one_that_stays() -> None:
    conversation = Scripted(b"Hello\n")
    with pytest.raises(WorkerEndedError):
        conversation.ask("build")
    conversation.stop("interrupted", "interrupted by the user")
    assert conversation.cut == ("failed", "the worker's answer to 'build' is no message: 'Hello'")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerConversation]:
    """A real worker that sleeps for each inference."""
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "result").mkdir()
    job = write_job(tmp_path / "job", "probe")
    prepared = PreparedInterpreter(Path(sys.executable), worker_of("probe"))
    started = prepared.start(job, [], tmp_path / "result", Limits(seconds=120))
    yield started
    started.end()


def test_steps_out_of_place_are_refused_and_close_still_tells(
    worker: WorkerConversation, tmp_path: Path
) -> None:
    assert worker.ask("load")["reason"] == "nothing was built"
    assert worker.ask("build")["reason"] == "a step before 'build' was not done"
    assert worker.ask("close")["status"] == "ok"
    outcome = worker.end()
    assert outcome.status == "ok"
    assert '"reason": "nothing was built"' in (tmp_path / "result" / "result.json").read_text()


def test_a_pass_and_a_command_that_nobody_knows(worker: WorkerConversation) -> None:
    assert worker.ask("build")["status"] == "ok"
    assert worker.ask("load")["passes"] == ["latency"]
    assert worker.ask("slice", **{"pass": "cold_l2"})["reason"] == "'cold_l2' is no pass of this engine"
    assert worker.ask("dance")["status"] == "failed"


def test_slices_come_as_they_are_asked_for(worker: WorkerConversation) -> None:
    typed(worker)
    worker.ask("build")
    worker.ask("load")
    assert worker.ask("warm_up", **{"pass": "latency", "seconds": 0.01})["inferences"] >= 1
    asked = {"pass": "latency", "seconds": 60.0, "settle": 2}
    assert len(worker.ask("slice", at_least=1, at_most=7, **asked)["samples"]["latency_ms"]) == 7
    short = {**asked, "seconds": 0.0}
    assert len(worker.ask("slice", at_least=3, at_most=9, **short)["samples"]["latency_ms"]) == 3


def test_a_worker_that_is_not_closed_is_ended(worker: WorkerConversation, tmp_path: Path) -> None:
    worker.ask("build")
    outcome = worker.end()
    assert (outcome.status, outcome.reason) == ("failed", "ended before it was closed")
    assert not (tmp_path / "result" / "result.json").exists()
