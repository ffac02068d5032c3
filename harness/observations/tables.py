"""The Parquet tables of a bundle, made from its build folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import InputError, PluginError
from harness.evidence.records import Evidence
from harness.store.bundle import BuildRecord, Bundle
from harness.store.documents.samples import COLUMNS, read_samples
from harness.store.files import WRONG_FORM
from harness.store.parquet import write_table
from harness.store.schema import LAYER_TIMES, SAMPLES


def write_tables(bundle: Bundle, runtimes: Mapping[str, Any]) -> None:
    """Write ``samples.parquet`` and ``layer_times.parquet`` of *bundle* anew.

    A build whose evidence cannot be read is left out of the layer table, and says so in the manifest's
    ``warnings``; its files stay.
    """
    samples: list[dict[str, Any]] = []
    layers: list[dict[str, Any]] = []
    warnings: list[str] = []
    runtime_of = {record.cell.id: record.cell.runtime for record in bundle.cells()}
    for build in bundle.builds():
        if build.status != "ok":
            continue
        try:
            samples.extend(sample_rows(build))
            if (runtime := runtimes.get(runtime_of[build.cell_id])) is not None:
                runtime.keep_engine(build.folder)
                layers.extend(_layer_rows(build, runtime.read_engine(build.folder)))
        except (InputError, PluginError, *WRONG_FORM) as error:
            warnings.append(f"{build.cell_id} build {build.build}: {error}")
    bundle.update(warnings=tuple(warnings))
    write_table(bundle.root / "samples.parquet", samples, SAMPLES)
    write_table(bundle.root / "layer_times.parquet", layers, LAYER_TIMES)


def sample_rows(build: BuildRecord) -> Iterator[dict[str, Any]]:
    """Yield one row for each sample that was taken of *build*.

    :raises InputError: see :func:`harness.store.documents.samples.read_samples`
    """
    common = {
        "cell": build.cell_id,
        "build": build.build,
        "round": build.document.round,
        "host": build.document.host.name,
    }
    for one in read_samples(build.folder):
        head = {**common, "pass": one.pass_name, "process": one.process, "cycle": one.cycle}
        head |= {"slice": one.slice, "clock": one.clock}
        columns = {name: getattr(one, name) for name in COLUMNS}
        for index, value in enumerate(one.latency_ms):
            rest = {name: None if column is None else column[index] for name, column in columns.items()}
            yield {**head, "sample": index, "latency_ms": value, **rest}


def _layer_rows(build: BuildRecord, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Yield one row a profile row, with type and kernel of the engine layer of the same name."""
    by_name = {layer.name: layer for layer in evidence.layers}
    for time in evidence.times:
        layer = by_name.get(time.name)
        yield {
            "cell": build.cell_id,
            "build": build.build,
            "position": time.position,
            "name": time.name,
            "type": layer.type if layer else None,
            "kernel": layer.kernel if layer else None,
            "average_ms": time.average_ms,
            "median_ms": time.median_ms,
            "samples_ms": list(time.samples_ms) or None,
        }
