"""Versions: the one order that they have, and expressions that name some of them.

**The order.** What PEP 440 can read is ordered as it says: number by number (``8.9`` before ``8.10``), a
candidate before the release that it leads to (``5.1.2rc`` before ``5.1.2``), a variant behind a ``+`` after
the release without one (``7.1.3``, ``7.1.3+tf1``, ``7.1.3+tf2``). What it cannot read (``unknown``,
``nightly-2024-01``) comes before everything that it can, by the numbers in it and then as text, so that
such a name is never the newest. Two spellings of one release (``8.6``, ``8.6.0``) are neighbours, in the
order of their texts; apart from that nothing is equal.

**Expressions** are ``5``, ``7.1``, ``>=8.5,<10``, ``latest``, ``all``, ``newest-per-major``. A bare number
names the newest release that begins with it, final releases before release candidates, as the tags of most
image registries do; a range names every release in it. Alternatives are separated by commas or blanks:
``5, 6, >=8.5,<10`` is three of them, since parts that begin with an operator belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from harness.errors import NoSuchVersionError, VersionExpressionError, did_you_mean

KEYWORDS = ("latest", "all", "newest-per-major")

Key = tuple[int, Version | tuple[int, ...], str]

_OPERATOR = re.compile(r"^(===|==|~=|!=|<=|>=|<|>)")
_PREFIX = re.compile(r"^\d+(\.\d+)*(\.\*)?$")
_NUMBERS = re.compile(r"[0-9]{1,18}")


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
        raise VersionExpressionError(
            "empty version expression; use for example 8.6, '>=8.5,<10', latest or all"
        )
    return found


@lru_cache(maxsize=4096)
def parse(version: str) -> Version | None:
    """Return *version* as a comparable value, None where it is none (``unknown``)."""
    try:
        return Version(version)
    except ValueError:  # InvalidVersion is one; a number of thousands of digits is another
        return None


def version_key(version: str) -> Key:
    """Return a key that sorts versions by age, in the order that this module describes."""
    parsed = parse(version)
    if parsed is None:
        return (0, tuple(int(number) for number in _NUMBERS.findall(version)), version)
    return (1, parsed, version)


def ordered(versions: Iterable[str]) -> list[str]:
    """Return *versions* without duplicates, oldest first."""
    return sorted(set(versions), key=version_key)


def release_numbers(version: str) -> tuple[int, ...] | None:
    """Return the numbers of *version*'s release (``(5, 1, 2)`` of ``5.1.2rc``), None where it has none."""
    parsed = parse(version)
    return None if parsed is None else parsed.release


def same_release(a: str, b: str) -> bool:
    """Say whether *a* and *b* name one release, variants behind a ``+`` aside; other names must be equal."""
    first, second = parse(a), parse(b)
    if first is None or second is None:
        return a == b
    return Version(first.public) == Version(second.public)


def side_of(version: str, bound: str) -> int | None:
    """Return -1, 0 or 1: *version* lies before *bound*, within it, or after it.

    Only numbers count, and only as far as the bound is written: 8.5.3.1 and 8.5.3rc lie within 8.5.3.

    :return: None where either is no version
    """
    numbers, wanted = release_numbers(version), release_numbers(bound)
    if numbers is None or wanted is None:
        return None
    known = (numbers + (0,) * len(wanted))[: len(wanted)]
    return (known > wanted) - (known < wanted)


def select(expression: str, versions: Sequence[str]) -> list[str]:
    """Return those of *versions* that *expression* names, oldest first, each once.

    :raises UsageError: the expression is not understood, or names none of them
    """
    chosen: list[str] = []
    for part in alternatives(expression):
        names = _one(part, ordered(versions))
        if not names:
            raise NoSuchVersionError(
                f"no version fits '{part}'{did_you_mean(part, versions)}; known: {_short(ordered(versions))}"
            )
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
        begins = [v for v in versions if side_of(v, part.removesuffix(".*")) == 0]
        return begins if part.endswith(".*") else _newest(begins)
    raise VersionExpressionError(
        f"'{part}' is no version expression; use a number such as 8.6, a range such as '>=8.5,<10', "
        f"{', '.join(KEYWORDS)}, or the name of an image"
    )


def _in_range(part: str, versions: list[str]) -> list[str]:
    try:
        wanted = SpecifierSet(part)
    except InvalidSpecifier:
        raise VersionExpressionError(f"'{part}' is no version range; write for example '>=8.5,<10'") from None
    # filter() leaves release candidates out unless nothing else fits, or the range names one.
    fits = {str(v) for v in wanted.filter([p for p in map(parse, versions) if p is not None])}
    return [v for v in versions if str(parse(v)) in fits]


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
