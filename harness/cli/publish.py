"""``trtmatrix publish RUN -o FILE``: a bundle as one small file, for others to judge and report."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from harness.cli.outputs import check_file
from harness.errors import OutputPathError

LEFT_OUT = ("samples.parquet", "layer_times.parquet", "outputs.npz", "timing.cache", "worker.log")
"""Made of the rest, or compared already, or of no use on another machine."""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("publish", help="write a stored run as one small file")
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="folder of a bundle, or what an earlier release published"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="NAME.tar.xz")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the archive and say how large it is."""
    from harness.store.archive import SUFFIX

    check_file(arguments.output, "-o", [arguments.run])
    if not arguments.output.name.endswith(SUFFIX):
        raise OutputPathError(f"-o {arguments.output}: expected a name that ends in {SUFFIX}")
    publish(arguments.run, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")
    return 0


def publish(run: Path, output: Path) -> None:
    """Write the bundle *run* as *output*, with what was read of large evidence in its place.

    :raises InputError: no bundle, or evidence that is torn
    """
    from harness.plugins import registry
    from harness.store.archive import folder_of, write_archive
    from harness.store.bundle import Bundle
    from harness.store.documents.samples import publish_samples

    run = folder_of(run)
    Bundle.open(run)  # what is no bundle is refused before anything is copied
    with tempfile.TemporaryDirectory(prefix="trtmatrix-") as scratch:
        folder = Path(scratch) / "bundle"
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns(*LEFT_OUT, ".work-*", ".*.new"))
        bundle, runtimes = Bundle.open(folder), registry.runtimes()
        for record in bundle.cells():
            runtime = runtimes.get(record.cell.runtime)
            if runtime is not None:
                for build in bundle.builds(record.cell.id):
                    runtime.publish(build.folder)
                    publish_samples(build.folder)
        write_archive(folder, output)
