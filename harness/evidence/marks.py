"""Lines that say which TensorRT wrote a log, and where one run, build or engine ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.listings import Listings

_RUN = re.compile(rb"&&&& (?:RUNNING|PASSED|FAILED|WAIVED) [^\[]{0,200}\[TensorRT v(\d{1,12})\]")
_VERSION = re.compile(rb"TensorRT version:? (\d[\d.]{0,30})")
_LIBRARY = re.compile(rb"Trying to load shared library libnvinfer_builder_resource\.so\.(\d+\.\d+\.\d+)")
_COMMAND = re.compile(rb"&&&& RUNNING [^#]{0,200}# ?(.{1,4000})", re.DOTALL)
_DRIVER = re.compile(
    rb"(?:NVIDIA-SMI .{1,80}?Driver Version: {1,8}|version (?=\S{1,20} was detected and compatibility mode))"
    rb"(\d{2,4}(?:\.\d{1,4}){1,2})(?= |\Z)"
)
_PLUGIN = re.compile(
    rb"(?:Registered plugin creator|Plugin creator already registered) - "
    rb"(?:[^\s:]{0,100}::)?([^\s:]{1,200}) version (\S{1,30})"
)
_MOST_PLUGINS = 1000
_LAYERS = re.compile(rb"After reformat layers: (\d{1,9}) layers")


class Marks:
    """Reads marks; every method takes a line without prefix and its number and says whether it used it.

    :param next_engine: called where another engine begins
    """

    def __init__(self, ctx: Context, listings: Listings, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._listings = listings
        self._next_engine = next_engine
        self._run_line: int | None = None
        self.start_engine()

    def start_engine(self) -> None:
        """Forget the engine before."""
        self._strategies = 0
        self._graph = False

    @property
    def unfinished(self) -> bool:
        """A build began and its engine was not reported."""
        done = self._listings.seen or self.ctx.engine in self.ctx.build_seconds
        return self._graph and not done

    def run(self, content: bytes, number: int) -> bool:
        """``&&&& RUNNING TensorRT.trtexec [TensorRT v8003] # ...`` and ``&&&& TASK_BEGIN ...``."""
        if not content.startswith(
            (b"&&&& RUNNING", b"&&&& TASK_BEGIN", b"&&&& TASK_END", b"&&&& TASK_ABORT")
        ):
            return False
        match = _RUN.match(content)
        if match is not None:
            self.ctx.version(match.group(1).decode(), 2, number)
        if self.ctx.touched and content.startswith((b"&&&& RUNNING", b"&&&& TASK_BEGIN")):
            self._next_engine()
        if content.startswith(b"&&&& RUNNING"):
            self._run_line = number
            command = _COMMAND.match(content)
            if command is not None:
                text = command.group(1).decode("utf-8", "replace")
                self.ctx.commands[self.ctx.engine] = " ".join(text.split())
        return True

    def run_end(self, content: bytes, number: int) -> bool:
        """``&&&& PASSED TensorRT.trtexec [TensorRT v8601] # ...``, ``FAILED``, ``WAIVED``."""
        match = _RUN.match(content)
        if match is not None:
            self.ctx.version(match.group(1).decode(), 2, number)
        self._run_line = None
        return True

    def finish(self) -> None:
        """The file is over: say so if the run is not."""
        if self._run_line is not None:
            self.ctx.warn(self._run_line, "the run that begins here has no end: the file is cut")

    def original(self, content: bytes, number: int) -> bool:
        """``Original: <n> layers``: a build begins, if not one more strategy of it (10.x)."""
        del number
        if not content.startswith(b"Original: "):
            return False
        if self.ctx.touched and (not self._strategies or self._listings.seen):
            self._next_engine()
        self._graph = True
        self.ctx.kinds.add("builder_log")
        return True

    def strategy(self, content: bytes, number: int) -> bool:
        """``Building graph using backend strategy <n>``: a build may try several, each searches."""
        del number
        if not content.startswith(b"Building graph using backend strategy"):
            return False
        self._strategies += 1
        return True

    def layers(self, content: bytes, number: int) -> bool:
        """``After reformat layers: <n> layers``: the length of the engine's list, for one graph."""
        del number
        match = _LAYERS.match(content)
        if match is None:
            return False
        self._listings.expect(int(match.group(1)) if self._strategies < 2 else None)
        return True

    def version(self, content: bytes, number: int) -> bool:
        """``TensorRT version: 8003`` (packed up to 8.2) or ``TensorRT version: 8.4.1``."""
        match = _VERSION.match(content)
        if match is None:
            return False
        self.ctx.version(match.group(1).decode().rstrip("."), 3, number)
        return True

    def driver(self, content: bytes, number: int) -> bool:
        """``NVIDIA-SMI <v>  Driver Version: <v> ..``, ``version <v> was detected and compatibility mode ..``.

        The first is the head of ``nvidia-smi``, the second what NVIDIA's containers say when they start.
        """
        match = _DRIVER.match(content)
        if match is None:
            return False
        found = match.group(1).decode()
        if self.ctx.driver not in (None, found):
            self.ctx.warn_once(
                number, f"more than one driver version in one file: {self.ctx.driver} and {found}"
            )
        self.ctx.driver = self.ctx.driver or found
        return True

    def plugin(self, content: bytes, number: int) -> bool:
        """``Registered plugin creator - ::<Name> version <v>`` (7.0 and later, VERBOSE)."""
        del number
        match = _PLUGIN.match(content)
        if match is None:
            return False
        if len(self.ctx.plugins) < _MOST_PLUGINS:
            name, version = (text.decode("utf-8", "replace") for text in match.groups())
            self.ctx.plugins[name, version] = None
        return True

    def library(self, content: bytes, number: int) -> bool:
        """``Trying to load shared library libnvinfer_builder_resource.so.8.5.1``."""
        match = _LIBRARY.match(content)
        if match is None:
            return False
        self.ctx.version(match.group(1).decode(), 1, number)
        return True
