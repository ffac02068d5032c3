"""``trtmatrix parse FILE...``: what TensorRT printed or exported, as one record a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from harness.cli.collector import no_search_for_cycles
from harness.errors import EXIT_OK, TrtmatrixError
from harness.written import number_of

if TYPE_CHECKING:
    from harness.evidence.record import Record

_EPILOG = """\
The format is recognised by the content: profiles, builder logs, engine layers, summaries and times of
TensorRT 4 to 11, plain, gzip or zstd. docs/reference/formats.md lists them, docs/reference/record.md has the
keys of the record.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the console script; ``func`` is set to :func:`run`."""
    parser = subparsers.add_parser(
        "parse",
        help="read what TensorRT printed or exported",
        description="Read files of TensorRT and its tools and print one record a file.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_arguments(parser)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a log, an export, plain or compressed")
    parser.add_argument(
        "--tensorrt", metavar="V", help="the TensorRT version, for files that do not print it"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object, an array for several files")
    form.add_argument("--jsonl", action="store_true", help="one row a line, in constant memory")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the records of ``args.files``.

    :returns: exit code: 0
    :raises InputError: a file cannot be read or nothing in it was recognised
    """
    if args.jsonl:
        with no_search_for_cycles():
            for name in args.files:
                _stream(name, sys.stdout, args.tensorrt)
    elif args.json:
        for piece in json_text(args.files, args.tensorrt):
            sys.stdout.write(piece)
    else:
        from harness.evidence.reader import read_file

        for name in args.files:
            record = read_file(name, tensorrt=args.tensorrt)
            for line in describe(record):
                _say(sys.stdout, line)
    return EXIT_OK


def _stream(name: str, out: TextIO, tensorrt: str | None) -> None:
    from harness.evidence.jsonl import write_jsonl
    from harness.evidence.reader import open_evidence

    with open_evidence(name) as stream:
        write_jsonl(stream, out, name=name, tensorrt=tensorrt)


def json_text(names: Sequence[str], tensorrt: str | None = None) -> Iterator[str]:
    """The records of files as JSON, in pieces.

    All files are read before there is a piece, so that output is whole or none.

    :param names: paths; :param tensorrt: the version, for files that do not print it
    :raises InputError: a file cannot be read or nothing in it was recognised
    """
    from harness.evidence.reader import read_file

    with no_search_for_cycles():
        records = [read_file(name, tensorrt=tensorrt) for name in names]
        several = len(records) > 1
        yield "[\n" if several else ""
        for i, record in enumerate(records):
            yield ",\n" if i else ""
            yield from record.json_pieces()
        yield "\n]\n" if several else "\n"


def describe(record: Record) -> Iterator[str]:
    """A short text about one record, for people."""
    facts = record.facts
    version = f"TensorRT {facts.tensorrt}" if facts.tensorrt else "TensorRT version not printed"
    engines = number_of(facts.engines, "engine")
    yield f"{record.file}: {', '.join(facts.kinds)}; {version}; {engines}"
    if facts.driver is not None:
        yield f"  driver {facts.driver}"
    if facts.plugins:
        shown = [f"{name} {version}" for name, version in facts.plugins[:3]]
        more = f" and {len(facts.plugins) - 3} more" if len(facts.plugins) > 3 else ""
        yield f"  plugins: {', '.join(shown)}{more}"
    if record.profile:
        yield from _describe_profiles(record)
        known = [row for row in record.profile if row.typical_ms is not None]
        for row in sorted(known, key=lambda row: -(row.typical_ms or 0.0))[:5]:
            share = "" if row.percent is None else f"  {row.percent:g} %"
            yield f"    {row.typical_ms:.6g} ms{share}  {row.name}"
    if record.tactic_rows or record.skipped_runners:
        timed = sum(1 for row in record.tactic_rows if row[7] is not None)
        silent = sum(1 for combination in record.combinations if not combination.runners)
        yield (
            f"  tactics: {len(record.tactic_rows)} offered, {timed} timed, {len(record.decisions)} choices; "
            f"{len(record.skipped_runners)} runners with nothing to offer; "
            f"{silent} format combinations that reuse an earlier result"
        )
    if record.engine_layers:
        yield f"  engine: {number_of(len(record.engine_layers), 'layer')}"
    yield from _describe_times(record)
    yield f"  lines: {facts.lines.read} read, {facts.lines.used} used, {facts.lines.ignored} ignored"
    for warning in record.warnings:
        place = f"line {warning.line}: " if warning.line is not None else ""
        yield f"  warning: {place}{warning.text}"


def _describe_profiles(record: Record) -> Iterator[str]:
    if len(record.profiles) < 2:
        layers = number_of(len(record.profile), "layer")
        yield f"  profile: {layers}, {_or_unknown(record.iterations)} iterations"
        return
    for head in record.profiles:
        place = f", from line {head.line}" if head.line is not None else ""
        counted = f"{number_of(head.layers, 'layer')}, {_or_unknown(head.iterations)} iterations"
        yield f"  profile of engine {head.engine}: {counted}{place}"


def _describe_times(record: Record) -> Iterator[str]:
    from statistics import median

    gpu = sorted(time.gpu_ms for time in record.times if time.gpu_ms is not None)
    if gpu:
        spread = f"GPU {gpu[0]:g} to {gpu[-1]:g} ms, median {median(gpu):g} ms"
        yield f"  times: {len(gpu)} inferences, {spread}"
    for row in record.summary:
        values = {"median": row.gpu_ms.get("median"), "mean": row.gpu_ms.get("mean")}
        shown = ", ".join(f"{name} {value:g} ms" for name, value in values.items() if value is not None)
        rate = f", {row.throughput_qps:g} qps" if row.throughput_qps is not None else ""
        which = f" of engine {row.engine}" if record.facts.engines > 1 else ""
        yield f"  summary{which}: GPU {shown or 'times not printed'}{rate}"


def _or_unknown(value: object) -> str:
    return "unknown" if value is None else str(value)


def _say(out: TextIO, line: str) -> None:
    """Print a line even where a name has characters that the terminal cannot show."""
    encoding = out.encoding or "utf-8"
    out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The command on its own: ``python -m harness.cli.parse FILE...``."""
    parser = argparse.ArgumentParser(
        prog="trtmatrix parse", epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except TrtmatrixError as error:
        print(f"trtmatrix parse: {error.one_line}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
