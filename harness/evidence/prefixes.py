"""What loggers and tools put before a line, in any order, number and nesting: known by form, or learned.

Known by their form, wherever they stand: time stamps in brackets, of ISO 8601, of syslog and of glog
(Triton), severities and logger names of TensorRT, its Python API, jetson-inference, Python's logging,
Torch-TensorRT and TRTorch, TF-TRT, onnxruntime's TensorRT provider and DeepStream, the clocks of BuildKit,
Kubernetes and Jenkins, quotes (``> ``). A form may lack the blank at its end, and have blanks before it.

What is not known by its form is learned from lines that can only be the beginning of a message of TensorRT:
what stands before such a message, digits taken for any digits, is a prefix from there on. So is the service
name of docker compose (``name | ``) where it stands before most lines. A layer's name is never taken for a
prefix: it stands before no message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_TIME = rb"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?"
_ISO = rb"\d{4}[-/.]\d\d[-/.]\d\d[T _]" + _TIME + rb"(?:Z| ?[-+]\d\d:?\d\d)?"
_LEVEL = rb"(?:INTERNAL_ERROR|ERROR|WARNING|WARN|INFO|VERBOSE|DEBUG|TRACE|NOTICE|CRITICAL|FATAL)"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SOURCE = rb"[^\s\]]{1,200}\.(?:cc|cpp|cu|h|hpp|py):\d{1,6}"
_FORMS = (
    rb"\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] ?",  # trtexec, TensorRT's Python API
    rb"\[[FEWIVD]\] ?",
    rb"\[(?:TRT|GIE)\](?:: ?| {0,5})",  # jetson-inference, DeepStream
    rb"\[TensorRT\] " + _LEVEL + rb": ?",
    rb"\[" + _ISO + rb"(?: +\w+)?\] ?",  # applications, Jenkins, onnxruntime
    rb"\[[FEWIVD]:onnxruntime:[^\]\n]{0,200}\] ?",
    rb"\[" + _LEVEL + rb"\] ?",
    rb"\[pod/[^\]\s]{1,200}\] ?",  # kubectl logs --prefix
    rb"\[ {0,8}\d{1,8}\.\d{3,6}\] ?",  # the kernel's clock, ts
    # bare, with a level, of Python's logging, of journalctl (host program[pid]:)
    _ISO + rb"(?:: | - [\w.-]{1,80} - " + _LEVEL + rb" - ?| [\w.-]{1,80} [\w./-]{1,80}\[\d{1,8}\]: ?"
    rb"|(?: +\[?" + _LEVEL + rb"\]?:?)?(?: |\Z))",
    rb"(?:stdout|stderr) [FP](?: |\Z)",  # Kubernetes, after its time stamp
    _MONTH + rb" [ \d]\d " + _TIME + rb" [\w.-]{1,80} [\w./-]{1,80}(?:\[\d{1,8}\])?: ?",  # syslog
    rb"[FEWIVD]\d{4,8} " + _TIME + rb" +\d{1,8} " + _SOURCE + rb"\] ?",  # glog, Triton
    rb"[FEWIVD] " + _SOURCE + rb"\] ?(?:DefaultLogger ?)?",  # TensorFlow, TF-TRT
    rb"(?:" + _LEVEL + rb": )?\[(?:Torch-TensorRT|TRTorch)[^\]\n]{0,100}\] -(?: |\Z)",
    rb"(?:" + _LEVEL + rb": )?" + _SOURCE + rb" ",  # DeepStream
    _LEVEL + rb":[\w.-]{1,80}:",  # Python's logging
    _LEVEL + rb":(?: |\Z)",
    _TIME + rb"(?: +\[?" + _LEVEL + rb"\]?:?)?(?: |\Z)",
    rb"#\d{1,4} \d{1,6}\.\d{1,3}(?: |\Z)",  # BuildKit
    rb">(?: |\Z)",
    rb">{2,8}(?: (?![-+.\d])|\Z)",
)
# What a message begins with, where nothing else can: whatever stands before it is a prefix.
_MESSAGE = re.compile(
    rb"\*{8,} Autotuning |-{8,} (?:Timing|Chose) |>{8,} Chose |={8,} Computing costs for"
    rb"|(?<!Set )Tactic Name: \S.* Time: "
    rb"|=== (?:Performance summary|Profile \(\d|Inference Options|Model Options)"
    rb"|Throughput: [\d.e+]{1,20} qps|Average o(?:n|ver) \d{1,9} runs"
    rb"|(?<!\) )(?:GPU Compute Time|Enqueue Time|H2D Latency): min = "
    rb"|&&&& (?:RUNNING|PASSED|FAILED) |(?:Engine )?Layer Information:\s*\Z"
    rb"|Layer\(\w{1,80}\): .{1,4000}, Tactic: "
    rb"|Time over (?:all|total) layers: |Original: \d{1,9} layers\s*\Z|After reformat layers: \d{1,9} layers"
    rb"|TensorRT version:? \d"
)
_WORDS = re.compile(rb"Tactic N|-- |\*\* A|>> C|== |ayer| runs| qps|: min =|&&&& |Time ov|layers|RT ver")
_STARTS = frozenset((b"Tactic", b"------", b"******", b">>>>>>", b"======", b"Fastes"))
_NOT_BEFORE = re.compile(rb"Fastest \Z|Set \Z|completed in |Set Tactic|\A\s*\Z")
_SERVICE = re.compile(rb"([\w./-]{1,80})( +\| ?)")
_TOKEN = re.compile(
    rb"(?P<hex>0x[0-9a-fA-F]+)|(?P<digits>\d+)|(?P<level>\b" + _LEVEL + rb"\b)|(?P<blank>[ \t]+)|."
)
_LONGEST = 200
_MOST_LEARNED = 8
MOST_LOOKED_AT = 4000
"""Lines at the head of a file, and of its pieces, by which its prefixes are learned."""


def _compiled(forms: Sequence[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?: {0,8}(?:" + b"|".join(forms) + rb"))+")


_KNOWN = _compiled(_FORMS)


class Prefixes:
    """The prefixes of one file: the known forms and what was learned from its lines."""

    def __init__(self) -> None:
        self._learned: list[bytes] = []
        self._pattern = _KNOWN

    def of(self, line: bytes) -> bytes:
        """The prefix of a line, empty where it has none."""
        match = self._pattern.match(line)
        return match.group() if match else b""

    def learn(self, lines: Sequence[bytes]) -> None:
        """Look for prefixes of unknown form in the first lines of a file.

        :param lines: as they stand in the file, without their ends
        """
        looked_at = lines[:MOST_LOOKED_AT]
        prefix = b""
        for line in looked_at:
            if prefix and line.startswith(prefix) and line[len(prefix) : len(prefix) + 6] in _STARTS:
                continue
            prefix = self.of(line)
            if line[len(prefix) : len(prefix) + 6] not in _STARTS:
                self.learn_from(line)
        if any(b" |" in line for line in looked_at):
            while self._learn_service(looked_at):
                continue

    def _learn_service(self, lines: Sequence[bytes]) -> bool:
        """``name | `` of docker compose, where the same name stands before at least half of the lines."""
        services: Counter[bytes] = Counter()
        full = 0
        for line in lines:
            rest = line[len(self.of(line)) :]
            full += bool(line.strip())
            match = _SERVICE.match(rest)
            if match is not None:
                services[match.group(1)] += 1 + rest.startswith((b"{", b"["), match.end())
        for name, count in services.most_common(1):
            if count > 1 and count * 2 >= full:
                return self._add(re.escape(name) + rb" +\| ?")
        return False

    def learn_from(self, line: bytes) -> bool:
        """Learn what stands before a message of TensorRT in *line*; say whether it was new."""
        if len(line) > 1 << 16 or _WORDS.search(line) is None:
            return False
        message = _MESSAGE.search(line)
        if message is None or not message.start():
            return False
        rest = line[len(self.of(line)) : message.start()]
        if not rest or len(rest) > _LONGEST or rest[-1:].isalnum() or _NOT_BEFORE.search(rest):
            return False
        return self._add(_shape(self._unknown_part(rest)))

    def _unknown_part(self, rest: bytes) -> bytes:
        """What of *rest* stands before known forms that reach up to the message."""
        for at in range(1, len(rest)):
            if not rest[at - 1 : at].isalnum() and len(self.of(rest[at:])) == len(rest) - at:
                return rest[:at]
        return rest

    def _add(self, form: bytes) -> bool:
        if form in self._learned or len(self._learned) >= _MOST_LEARNED:
            return False
        self._learned.append(form)
        self._pattern = _compiled((*self._learned, *_FORMS))
        return True


def _shape(prefix: bytes) -> bytes:
    """A pattern for prefixes that differ from this one in their numbers and their severity alone."""
    parts = []
    for token in _TOKEN.finditer(prefix):
        text = token.group()
        if token.lastgroup == "hex":
            parts.append(rb"0x[0-9a-fA-F]+")
        elif token.lastgroup == "digits":
            parts.append(rb"\d{1,20}")
        elif token.lastgroup == "level":
            parts.append(_LEVEL)
        elif token.lastgroup == "blank" and token.end() == len(prefix):
            parts.append(b"[ \\t]{0,%d}" % len(text))
        elif token.lastgroup == "blank":
            parts.append(rb"[ \t]+")
        else:
            parts.append(re.escape(text))
    return b"".join(parts)
