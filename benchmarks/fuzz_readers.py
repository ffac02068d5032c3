"""Feeds mutated recordings and composed samples to the readers: a record or one clear error, no traceback.

Run: ``python benchmarks/fuzz_readers.py --count 100000 --seed 0``. Prints how many inputs gave a record, how
many an error, and the time; stops at the first input that does anything else and writes it down.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import sys
import time
from pathlib import Path

from harness.errors import InputError
from harness.evidence.reader import read_stream
from harness.evidence.record import RecordSink

DATA = Path(__file__).parents[1] / "tests" / "data"
LARGEST = 24_000
TOKENS = [
    *b'\n \0 [ ] ( ) { } " \\ ms %<< inf nan 1e999 -0 1_0 , Total \xc3 \xff\xfe \xed\xa0\x80 \x1b[31m'.split(
        b" "
    ),
    *(
        b" -> ",
        b", Tactic: ",
        b" Time: ",
        b"Tactic: ",
        b"Layer(",
        b" [Op: X]",
        b"\r\n",
        b"9" * 5000,
        b"[" * 3000,
    ),
    *(b"--------------- Timing Runner: ", b">>>>>>>>>>>>>>> Chose Runner Type: ", b"Original: 1 layers\n"),
    *(b"Engine Layer Information:\n", b"=== Profile (1 iterations ) ===\n", b"Time over all layers: 1\n"),
    b"&&&& RUNNING TensorRT.trtexec [TensorRT v8003]\n",
]


def seeds() -> list[bytes]:
    """Recordings, unpacked, and composed samples."""
    found = []
    for path in sorted(DATA.glob("recordings/*/*")) + sorted(DATA.glob("evidence/*")):
        data = path.read_bytes()
        found.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def mutate(source: random.Random, corpus: list[bytes]) -> bytes:
    """A piece of a seed with a few changes, sometimes packed."""
    seed = source.choice(corpus)
    start = 0 if len(seed) <= LARGEST or source.random() < 0.3 else source.randrange(len(seed) - LARGEST)
    data = bytearray(seed[start : start + source.randint(1, LARGEST)])
    for _ in range(source.randint(0, 6)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(6)
        if kind == 0:
            data[at:at] = source.choice(TOKENS)
        elif kind == 1:
            del data[at : at + source.randint(1, 40)]
        elif kind == 2 and data:
            data[at % len(data)] = source.randrange(256)
        elif kind == 3:
            data[at:at] = data[at : at + source.randint(1, 400)]
        elif kind == 4:
            other = source.choice(corpus)
            begin = source.randrange(len(other))
            data[at:at] = other[begin : begin + source.randint(1, 1000)]
        else:
            del data[at:]
    packed = gzip.compress(bytes(data), 1) if source.random() < 0.05 else bytes(data)
    return packed[: source.randrange(len(packed) + 1)] if source.random() < 0.2 else packed


def read(data: bytes) -> str:
    """Read one input; its JSON must be valid and the counts of its lines must add up."""
    sink = RecordSink()
    try:
        record = sink.record("input", read_stream(io.BytesIO(data), sink, name="input"))
    except InputError as error:
        if "\n" in str(error):
            raise AssertionError("an error of more than one line") from error
        return "error"
    document = json.loads("".join(record.json_pieces()), parse_constant=_refuse)
    assert 0 <= document["lines"]["used"] <= document["lines"]["read"]
    return "record"


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--failure", type=Path, default=Path("fuzz-failure.bin"))
    parser.add_argument("--slowest", type=Path, help="keep the input that took longest")
    args = parser.parse_args()
    source, corpus = random.Random(args.seed), seeds()
    counts = {"record": 0, "error": 0}
    slowest, began = 0.0, time.perf_counter()
    for _ in range(args.count):
        data = mutate(source, corpus)
        start = time.perf_counter()
        try:
            counts[read(data)] += 1
        except BaseException:
            args.failure.write_bytes(data)
            print(f"the input is in {args.failure}", file=sys.stderr)
            raise
        took = time.perf_counter() - start
        if took > slowest:
            slowest = took
            if args.slowest is not None:
                args.slowest.write_bytes(data)
    total = time.perf_counter() - began
    print(
        f"{args.count} inputs, seed {args.seed}: {counts['record']} records, {counts['error']} errors, "
        f"{total:.0f} s, slowest {slowest * 1000:.0f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
