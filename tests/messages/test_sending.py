"""Sending: a listener of apprise's json:// on this machine, commands, and everything that can go wrong."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from harness.messages import sending
from harness.messages.sending import Targets, send, targets
from harness.store.documents.message import AlarmRecord, Message

pytest.importorskip("apprise", reason="the extra 'notify' is not installed")

ALARM = AlarmRecord(
    cell="c",
    subject="net-fp32",
    runtime="r",
    version="2",
    host="h",
    bottleneck="latency",
    verdict="regressed",
)
MESSAGE = Message(
    run="night", title="trtmatrix: regressed: latency", text="line one\nline two", alarms=(ALARM,)
)


class Listener(HTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[dict[str, object]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.got.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_message_arrives_and_its_password_is_not_said(listener: Listener) -> None:
    address = f"json://me:hunter2@127.0.0.1:{listener.server_port}/night"
    (said,) = send(MESSAGE, targets([address], environment={}))
    (got,) = listener.got
    assert (got["title"], got["message"], got["type"]) == (MESSAGE.title, MESSAGE.text, "warning")
    assert said.startswith("a message was sent to json://")
    assert "hunter2" not in said


def test_a_listener_that_refuses_is_said_and_raises_nothing(listener: Listener) -> None:
    listener.status = 500
    (said,) = send(MESSAGE, targets([f"json://me:hunter2@127.0.0.1:{listener.server_port}"], environment={}))
    assert said.startswith("no message was sent: ")
    assert "hunter2" not in said


def test_addresses_come_from_the_environment_too() -> None:
    found = targets(["json://a"], environment={"TRTMATRIX_NOTIFY": "json://b\n json://a"})
    assert found.addresses == ("json://a", "json://b")


def test_an_address_that_is_none_is_counted_and_not_shown() -> None:
    (said,) = send(MESSAGE, Targets(("nowhere-hunter2",)))
    assert said == "no message was sent: address 1 is none that apprise knows"


def test_without_apprise_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (said,) = send(MESSAGE, Targets(("json://a",)))
    assert "pip install 'trtmatrix[notify]'" in said


def test_a_command_gets_the_document(tmp_path: Path) -> None:
    out = tmp_path / "got.json"
    code = f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())"
    assert send(MESSAGE, Targets(command=f'{sys.executable} -c "{code}"')) == [
        "the message was taken by the command"
    ]
    got = json.loads(out.read_text(encoding="utf-8"))
    assert (got["schema"], got["alarms"][0]["verdict"]) == ("trtmatrix.message/1", "regressed")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/no/such/program", "cannot be run"),
        ("'unclosed", "cannot be run"),
        (f"{sys.executable} -c 'import sys; sys.exit(chr(104) + chr(109))'", "ended with 1: hm"),
    ],
)
def test_a_command_that_fails_is_said(command: str, said: str) -> None:
    (line,) = send(MESSAGE, Targets(command=command))
    assert said in line


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    (line,) = send(MESSAGE, Targets(command=f"{sys.executable} -c 'import time; time.sleep(60)'"))
    assert "ran longer than 0.2 s and was ended" in line
