"""Sending: to addresses of apprise (extra ``notify``), and to a command's standard input.

Whatever goes wrong here is a line for people: nothing raises.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.store.documents.base import json_text
from harness.store.documents.message import Message

VARIABLE = "TRTMATRIX_NOTIFY"
"""Addresses, separated by white space: they hold secrets, which a command line or a matrix would show."""

SECONDS = 60
"""That a command may take."""


@dataclass(frozen=True)
class Targets:
    """Where messages go.

    :param addresses: as apprise has them (``mailto://``, ``slack://``, ``json://host/path``)
    :param command: gets the document on its standard input; split as a shell would, run by none
    :param always: send in nights without news too
    """

    addresses: tuple[str, ...] = ()
    command: str = ""
    always: bool = False


def targets(
    addresses: Sequence[str] = (),
    command: str | None = None,
    *,
    always: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Targets:
    """Return where messages go: what was given, and what the environment names."""
    named = (os.environ if environment is None else environment).get(VARIABLE, "").split()
    return Targets(tuple(dict.fromkeys((*addresses, *named))), command or "", always)


def send(message: Message, to: Targets) -> list[str]:
    """Send *message*, and return in lines what became of it."""
    said = list(_by_apprise(message, to.addresses)) if to.addresses else []
    return [*said, _by_command(message, to.command)] if to.command else said


def _by_command(message: Message, command: str) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            input=json_text(message),
            text=True,
            encoding="utf-8",
            errors="replace",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the message was not taken: the command ran longer than {SECONDS} s and was ended"
    except (OSError, ValueError, IndexError) as error:
        return f"the message was not taken: the command cannot be run: {error}"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return f"the message was not taken: the command ended with {done.returncode}: {last}"
    return "the message was taken by the command"


def _by_apprise(message: Message, addresses: Sequence[str]) -> Iterator[str]:
    # What the libraries below warn of is none of the run's, in whose session warnings may be errors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import apprise
        except ImportError:
            yield "no message was sent: apprise is not installed: pip install 'trtmatrix[notify]'"
            return
        kind = apprise.NotifyType.WARNING if message.alarms or message.broken else apprise.NotifyType.INFO
        for number, address in enumerate(addresses, start=1):
            # Never as it was given: there are passwords in it.
            try:
                service = apprise.Apprise.instantiate(address)
                if service is None:
                    yield f"no message was sent: address {number} is none that apprise knows"
                    continue
                # Without what apprise adds of its own defaults behind the question mark.
                shown = str(service.url(privacy=True)).partition("?")[0]  # type: ignore[no-untyped-call]
                sent = service.notify(title=message.title, body=message.text, notify_type=kind)
            except Exception as error:  # noqa: BLE001 (plugins of apprise raise what they like)
                yield f"no message was sent to address {number}: {type(error).__name__}"
                continue
            yield (
                f"a message was sent to {shown}" if sent else f"no message was sent: {shown} did not take it"
            )
