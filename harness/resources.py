"""Where the data folders lie: beside the package in a clone, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from harness.errors import InstallationError

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return the folder of data called *name* (``suites``, ``containers``, ``reports``).

    :raises UsageError: the installation lacks that folder
    """
    installed, clone = _PACKAGE / "data" / name, _PACKAGE.parent / name
    # An installed wheel wins: a folder called `suites` beside site-packages would be a stranger's.
    for candidate in (installed, clone):
        if candidate.is_dir():
            return candidate
    raise InstallationError(
        f"the data folder '{name}' is missing from this installation; install trtmatrix again"
    )
