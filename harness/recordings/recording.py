"""What is imported, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.attribution.engine import AttributedEngine
from harness.attribution.findings import ConvolutionBlock
from harness.matrix.cell import UNKNOWN, Cell, Treatment

if TYPE_CHECKING:
    from harness.networks.base import OwnFamily

ENVIRONMENT = "recorded"
"""Of recorded cells."""

STATUS = "recorded"
"""Of recorded cells."""


def unknown_treatment() -> Treatment:
    """Return a treatment of which nothing is known."""
    unknown = {name: UNKNOWN for name in Treatment().as_json() if name != "batch"}
    return Treatment.from_json({**unknown, "batch": None})


@dataclass(frozen=True)
class Recording:
    """Files of one build and what is stated about it.

    :param files: path to role (:data:`harness.runtimes.recorded.ROLES`, or empty)
    :param treatment: what is known; the rest ``unknown``
    :param facts: what else is stated: GPU, driver, engine size, host ...
    :param aliases: foreign layer names to source ops
    :param engine: which engine of files that describe several, from 0; None: all of them
    :param own: the network, where it is a file of the user's own
    """

    files: Mapping[Path, str]
    version: str = UNKNOWN
    network: str = UNKNOWN
    treatment: Treatment = field(default_factory=unknown_treatment)
    build: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    engine: int | None = None
    own: OwnFamily | None = None


@dataclass(frozen=True)
class Imported:
    """What became of a recording.

    :param findings: reformats and activations around convolutions
    :param warnings: what the readers could not use
    :param number: of the engine in its files, None where they hold one
    :param latency: what a summary prints, milliseconds, and what it is; None where there are samples
    """

    cell: Cell
    build: int
    engine: AttributedEngine
    findings: tuple[ConvolutionBlock, ...]
    warnings: tuple[str, ...]
    number: int | None = None
    latency: tuple[float, str] | None = None
