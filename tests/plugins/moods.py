"""The example of a plugin with statements in it that raise, so that each of its parts can fail on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "acme"

MODULE = '''"""Parts that fail when they are asked to: ``ACME_RAISES`` names the part."""

import os


def may_raise(part: str) -> None:
    """Raise where *part* is the one that is to fail."""
    if os.environ.get("ACME_RAISES") == part:
        raise ValueError(f"the {part} fails on purpose")
'''
IMPORT = "from acme_trtmatrix.moods import may_raise\n"
WIDE = 'if {}.network == "acme_wide":'

PLACES = (
    ("plugin.py", "from harness.runtimes.base import Runtime\n", 'may_raise("import")'),
    ("plugin.py", '    """Bring the runtime."""\n', 'may_raise("hook")'),
    (
        "runtime.py",
        '        """Refuse what is not there."""\n',
        f'{WIDE.format("cell")} may_raise("runtime")',
    ),
    (
        "runtime.py",
        '            raise InputError(path, f"cannot be read: {error}") from None\n',
        'may_raise("reading")',
    ),
    ("environment.py", '        """Fetch nothing."""\n', 'if version == "2.0": may_raise("environment")'),
    ("network.py", '        """Return the graph."""\n', 'if self._name == "acme_wide": may_raise("network")'),
    (
        "executor.py",
        '        """Measure, and write down each build as it ends."""\n',
        f'{WIDE.format("block.builds[0].cell")} may_raise("executor")',
    ),
    (
        "rule.py",
        '        """Return the time of matrix products, None without layer times."""\n',
        'may_raise("rule")',
    ),
    ("rule.py", '        """Return the dense time of each cell that has one."""\n', 'may_raise("section")'),
)
"""File, the line behind which it raises, the statement."""


def example_with_moods(folder: Path) -> Path:
    """Copy the example into *folder* with the statements in it, and return its place there."""
    place = shutil.copytree(EXAMPLE, folder / "acme")
    package = place / "acme_trtmatrix"
    (package / "moods.py").write_text(MODULE, encoding="utf-8")
    for name, line, statement in PLACES:
        text = (package / name).read_text(encoding="utf-8")
        assert text.count(line) == 1, f"{name} has not one line: {line.strip()}"
        # A statement stands where the body of its function does, behind an except clause where that does.
        deep = len(line) - len(line.lstrip()) - (4 if line.lstrip().startswith("raise") else 0)
        text = text.replace(line, f"{line}{' ' * deep}{statement}\n")
        if IMPORT not in text:
            end = text.index('"""\n', 3) + 4
            text = f"{text[:end]}\n{IMPORT}{text[end:]}"
        (package / name).write_text(text, encoding="utf-8")
    return place
