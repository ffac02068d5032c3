"""What a worker says, held to the types that the harness reads it by: messages and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.environments.base import WorkerConversation
from harness.store.documents.base import as_json, read_document
from harness.store.documents.conversation import answer_of, command_of
from harness.store.documents.job import Job
from harness.store.documents.result import Result
from harness.store.documents.samples import read_samples


def typed(conversation: WorkerConversation) -> WorkerConversation:
    """Hold every command and every answer of *conversation* to its type."""
    ask = conversation.ask

    def checked(command: str, **arguments: object) -> dict[str, Any]:
        command_of({"command": command, **arguments})
        answer = ask(command, **arguments)
        answer_of(answer)
        return answer

    conversation.ask = checked  # type: ignore[method-assign]
    return conversation


def check_files(job: Path, result: Path) -> None:
    """Hold ``job.json``, ``result.json`` and ``samples.json`` to their types, down to the last field."""
    for path, kind in ((job, Job), (result / "result.json", Result)):
        written = json.loads(path.read_text(encoding="utf-8"))
        made = as_json(read_document(path, kind))
        assert {key: made[key] for key in written} == written
    read_samples(result)
