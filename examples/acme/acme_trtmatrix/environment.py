"""The cellar: the interpreter that runs the harness, under a name of its own."""

import sys
from pathlib import Path

from harness.environments.base import Availability, Environment, Prepared, Progress, VersionRow
from harness.environments.interpreter import PreparedInterpreter, interpreter_facts
from harness.environments.needs import RuntimeNeeds


class Cellar(Environment):
    """Holds both versions of acme, which are not installed from anywhere: its worker is all there is."""

    name = "cellar"

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say that it is here."""
        return Availability("ok")

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Fetch nothing."""
        progress(f"fetching {runtime.name} {version} from the cellar")
        python = Path(sys.executable)
        facts = {**interpreter_facts(python), "shelf": f"{runtime.name}-{version}"}
        return PreparedInterpreter(python, runtime.worker, {}, facts)

    def resolve(self, runtime: str, said: str) -> list[str]:
        """Know what ``all`` means."""
        return ["1.0", "2.0"] if said == "all" else [said]

    def version_rows(self) -> list[VersionRow]:
        """Know of a version that the runtime does not speak of."""
        return [VersionRow("acme", "0.9", "bottom shelf", "patience")]
