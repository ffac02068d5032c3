"""One more process of an engine, beside the one that built it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from harness.environments.base import Limits, Prepared
from harness.errors import InputError
from harness.execution.inputs import place
from harness.store.documents.base import read_document, write_document
from harness.store.documents.job import Job
from harness.store.documents.result import Result
from harness.worker.drive import Driven
from harness.worker.result import KEPT
from harness.worker.samples import Samples


class FurtherProcess:
    """One more process of an engine: measured as the first one is, and nothing else is taken from it.

    :param files: of the first process's job, and the engine it kept
    """

    def __init__(
        self,
        prepared: Prepared,
        job: Path,
        files: Sequence[Path],
        scratch: Path,
        limits: Limits,
        number: int,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=scratch, prefix="job-"))
        self._result = Path(tempfile.mkdtemp(dir=scratch, prefix="result-"))
        self._number = number
        placed = [place(path, self._folder, path.name) for path in files]
        document = structs.replace(read_document(job, Job), engine=KEPT, keep_engine=False, peaks=False)
        path = self._folder / job.name
        write_document(path, document)
        self._conversation = prepared.start(path, placed, self._result, limits)
        self.driven = Driven(self._conversation, str(path), Samples(number))

    def end(self) -> str:
        """End the worker; return why it was lost, empty where it came to its end."""
        outcome = self._conversation.end()
        try:
            if outcome.status != "ok":
                return f"process {self._number}: {outcome.reason}"
            said = read_document(self._result / "result.json", Result)
            return "" if said.status == "ok" else f"process {self._number}: {said.reason}"
        except InputError as error:
            return f"process {self._number}: {error}"
        finally:
            for folder in (self._folder, self._result):
                shutil.rmtree(folder, ignore_errors=True)
