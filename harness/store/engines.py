"""Engines that are kept over nights: where they lie in a history, and how those of a run come there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.store.bundle import Bundle
from harness.worker.result import KEPT


def engines_folder(history: Path) -> Path:
    """Return the folder of kept engines of the history in *history*: ``NAME/BUILD.plan``."""
    return history / "engines"


def engine_names(bundle: Bundle) -> list[str]:
    """Return the names of the kept engines that *bundle* measured, sorted."""
    return sorted({build.document.kept_engine for build in bundle.builds()} - {""})


def keep_engines(bundle: Bundle, history: Path) -> None:
    """Copy the engines that the run in *bundle* built to be kept into *history*; one that is there stays."""
    for build in bundle.builds():
        name, source = build.document.kept_engine, build.folder / KEPT
        target = engines_folder(history) / name / f"{build.build}.plan"
        if not name or not source.is_file() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            shutil.copyfile(source, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
