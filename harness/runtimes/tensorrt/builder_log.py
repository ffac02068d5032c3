"""The builder log of a build: as TensorRT printed it, or as what was read from it in a published bundle."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.errors import DamagedBundleError
from harness.evidence.reader import read_file
from harness.evidence.records import Combination, EngineLayer, ReaderWarning, SkippedRunner, Tactic
from harness.store.documents.base import read_document, write_document
from harness.store.documents.builder_log import BuilderLog

PRINTED, READ = "build.log.gz", "builder_log.json"


@dataclass(frozen=True)
class ReadLog:
    """What is read of a builder log, by the names of :class:`harness.evidence.records.Evidence`."""

    tactics: tuple[Tactic, ...] = ()
    skipped_runners: tuple[SkippedRunner, ...] = ()
    combinations: tuple[Combination, ...] = ()
    engine_layers: tuple[EngineLayer, ...] = ()
    warnings: tuple[ReaderWarning, ...] = ()


def read_log(evidence: Path, version: str | None) -> ReadLog:
    """Return what the builder log in the folder *evidence* says, nothing where there is none.

    :param version: of TensorRT, for logs that do not print it
    :raises InputError: it is torn, or no builder log
    """
    if (evidence / READ).is_file():
        document = read_document(evidence / READ, BuilderLog)
        try:
            return msgspec.convert(document, ReadLog, from_attributes=True)
        except msgspec.ValidationError as error:
            raise DamagedBundleError(evidence / READ, str(error)) from None
    if not (evidence / PRINTED).is_file() or _is_empty(evidence / PRINTED):
        return ReadLog()
    record = read_file(evidence / PRINTED, tensorrt=version)
    return ReadLog(
        tactics=tuple(record.tactics),
        skipped_runners=tuple(record.skipped_runners),
        combinations=tuple(record.combinations),
        engine_layers=tuple(record.engine_layers),
        warnings=tuple(record.warnings),
    )


def _is_empty(path: Path) -> bool:
    """Return whether a whole log holds nothing: the build failed before TensorRT said a word."""
    try:
        with gzip.open(path) as stream:
            return not any(line.strip() for line in stream)
    except (OSError, EOFError, zlib.error):
        return False  # read_file says what is wrong with it


def keep_what_is_read(evidence: Path, version: str | None) -> None:
    """Put what is read of the builder log in its place, which takes a hundredth of the room.

    :raises InputError: it is torn, or no builder log
    """
    if (evidence / PRINTED).is_file():
        document = msgspec.convert(read_log(evidence, version), BuilderLog, from_attributes=True)
        write_document(evidence / READ, document)
        (evidence / PRINTED).unlink()
