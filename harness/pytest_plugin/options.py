"""The options of the pytest plugin, each with its ini twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Option:
    """An option of the plugin and its ini twin.

    :param name: ``out`` is ``--matrix-out`` and ini ``matrix_out``; ``matrix`` is ``--matrix``
    :param kind: ini type: ``string``, ``bool``, ``paths``
    """

    name: str
    metavar: str
    help: str
    kind: str = "string"

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return "--matrix" if self.name == "matrix" else "--matrix-" + self.name.replace("_", "-")

    @property
    def ini(self) -> str:
        """The ini key."""
        return self.flag[2:].replace("-", "_")

    def add(self, group: pytest.OptionGroup, parser: pytest.Parser) -> None:
        """Add option and ini key."""
        how: dict[str, Any] = {"dest": "trtmatrix_" + self.name, "default": None, "help": self.help}
        if self.kind == "bool":
            how["action"] = "store_true"
        else:
            how["metavar"] = self.metavar
            if self.kind == "args":
                how["action"] = "append"
        group.addoption(self.flag, **how)
        parser.addini(self.ini, self.help, type=self.kind, default=None)  # type: ignore[arg-type]


OPTIONS = (
    Option("matrix", "FILE", "matrix file to measure (default: the embedded default matrix)"),
    Option("out", "DIR", "folder of the run's bundle (default: trtmatrix-runs/RUN-ID)"),
    Option("run", "DIR", "read the cells from this bundle and measure nothing"),
    Option("builds", "N", "builds of each cell, one a round"),
    Option("minutes", "N", "of the run: what the first builds leave is spent where changes are open"),
    Option("quick", "", "a small part of the matrix (its quick_builds and quick_exclude)", "bool"),
    Option("resume", "", "go on with the run in --matrix-out; what it has is kept", "bool"),
    Option("retry_failed", "", "with --matrix-resume, measure failed builds again", "bool"),
    Option("no_build", "", "use container images as they are", "bool"),
    Option("executor", "NAME", "what is given the builds to measure (default: as the matrix says, local)"),
    Option("address", "WHERE", "of a Ray cluster, which measures: auto, HOST:PORT or ray://HOST:PORT"),
    Option("network", "FILE", "measure this file in place of the matrix's networks", "args"),
    Option("history", "DIR", "hold the run against the nights in this folder, and add it to them"),
    Option("accepted", "FILE", "accepted changes (default: trtmatrix-accepted.toml, where it lies here)"),
    Option("notify", "URL", "send a message of what fails the run there, as apprise has addresses", "args"),
    Option("notify_command", "COMMAND", "give the message to this command's standard input, as JSON"),
    Option("shape", "NAME=SIZES", "sizes of an input of that file whose axes are open", "args"),
    Option("output", "NODE", "an output of that file, where it is TensorFlow's", "args"),
)


def option_value(config: pytest.Config, name: str) -> Any:
    """Return the option called *name*, its ini twin's value where it was not given, None where neither."""
    value = config.getoption("trtmatrix_" + name, None)
    if value is None:
        option = next(o for o in OPTIONS if o.name == name)
        value = config.getini(option.ini) or None
    return value
