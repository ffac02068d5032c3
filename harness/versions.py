"""Version expressions: ``5``, ``7.1``, ``>=8.5,<10``, ``latest``, ``all``, ``newest-per-major``.

A bare number names the newest release that begins with it, final releases before release candidates, as the
tags of most image registries do; a range names every release in it. Alternatives are separated by commas or
blanks: ``5, 6, >=8.5,<10`` is three of them, since parts that begin with an operator belong together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from harness.errors import UsageError

KEYWORDS = ("latest", "all", "newest-per-major")

_OPERATOR = re.compile(r"^(===|==|~=|!=|<=|>=|<|>)")
_PREFIX = re.compile(r"^\d+(\.\d+)*(\.\*)?$")


def alternatives(expression: str) -> list[str]:
    """Split *expression* into alternatives; neighbouring comparisons stay one range.

    :raises UsageError: nothing is in it
    """
    found: list[str] = []
    # A blank may follow an operator (`>= 8.5`); it separates alternatives everywhere else.
    for part in re.split(r"[,\s]+", re.sub(r"([<>=!~])\s+", r"\1", expression.strip())):
        if _OPERATOR.match(part) and found and _OPERATOR.match(found[-1]):
            found[-1] += "," + part
        elif part:
            found.append(part)
    if not found:
        raise UsageError("empty version expression; use for example 8.6, '>=8.5,<10', latest or all")
    return found


def parse(version: str) -> Version | None:
    """Return *version* as a comparable value, None where it is none (``unknown``)."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def ordered(versions: Sequence[str]) -> list[str]:
    """Return *versions* without duplicates, oldest first, what cannot be compared before the rest."""
    unique = dict.fromkeys(versions)
    return sorted(unique, key=lambda v: (parse(v) is not None, parse(v) or Version("0"), v))


def select(expression: str, versions: Sequence[str]) -> list[str]:
    """Return those of *versions* that *expression* names, oldest first, each once.

    :raises UsageError: the expression is not understood, or names none of them
    """
    chosen: list[str] = []
    for part in alternatives(expression):
        names = _one(part, ordered(versions))
        if not names:
            raise UsageError(f"no version fits '{part}'; known: {_short(ordered(versions))}")
        chosen.extend(names)
    return ordered(chosen)


def _one(part: str, versions: list[str]) -> list[str]:
    if part == "all":
        return versions
    if part == "latest":
        return _newest(versions)
    if part == "newest-per-major":
        return [name for group in _majors(versions) for name in _newest(group)]
    if part in versions:
        return [part]
    if _OPERATOR.match(part):
        return _in_range(part, versions)
    if _PREFIX.match(part):
        begins = [v for v in versions if _begins(v, part.removesuffix(".*"))]
        return begins if part.endswith(".*") else _newest(begins)
    raise UsageError(
        f"'{part}' is no version expression; use a number such as 8.6, a range such as '>=8.5,<10', "
        f"{', '.join(KEYWORDS)}, or the name of an image"
    )


def _in_range(part: str, versions: list[str]) -> list[str]:
    try:
        wanted = SpecifierSet(part)
    except InvalidSpecifier:
        raise UsageError(f"'{part}' is no version range; write for example '>=8.5,<10'") from None
    # filter() leaves release candidates out unless nothing else fits, or the range names one.
    fits = {str(v) for v in wanted.filter([p for p in map(parse, versions) if p is not None])}
    return [v for v in versions if str(parse(v)) in fits]


def _begins(version: str, prefix: str) -> bool:
    parsed = parse(version)
    wanted = tuple(int(n) for n in prefix.split("."))
    return parsed is not None and _padded(parsed.release, len(wanted))[: len(wanted)] == wanted


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def _newest(versions: list[str]) -> list[str]:
    """Return the newest of *versions*, and its variants that differ only behind a ``+``."""
    known = [(p, v) for v in versions if (p := parse(v)) is not None]
    finals = [(p, v) for p, v in known if not p.is_prerelease] or known
    if not finals:
        return []
    newest = max(Version(p.public) for p, _ in finals)
    return [v for p, v in finals if Version(p.public) == newest]


def _majors(versions: list[str]) -> list[list[str]]:
    groups: dict[int, list[str]] = {}
    for version in versions:
        parsed = parse(version)
        if parsed is not None:
            groups.setdefault(parsed.major, []).append(version)
    return [groups[major] for major in sorted(groups)]


def _short(versions: list[str]) -> str:
    if len(versions) <= 8:
        return ", ".join(versions) or "none"
    return f"{', '.join(versions[:3])} ... {', '.join(versions[-3:])} ({len(versions)} in all)"
