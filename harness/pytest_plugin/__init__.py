"""The pytest plugin: options, the ``trtmatrix_cell`` parameter, and the run that the tests of a suite read.

The plugin is loaded in every pytest session of an environment that holds trtmatrix, so it does nothing at
all until a test asks for one of its fixtures, and all names that it brings begin with ``trtmatrix``. It may
import every room but the command line and the pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy
import pytest

from harness.errors import TrtmatrixError
from harness.pytest_plugin.benchmark_gate import fail_gate, is_regression, keep_session
from harness.pytest_plugin.checks import check_executor, check_history
from harness.pytest_plugin.options import OPTIONS, option_value
from harness.pytest_plugin.session import MatrixSession

if TYPE_CHECKING:
    from harness.analysis.policy import Policy
    from harness.analysis.verdict import Verdict
    from harness.matrix.cell import Cell
    from harness.observations.records import CellObservation, RunObservation

_HOOKS = pluggy.PluginManager("trtmatrix")
_SESSION = pytest.StashKey[MatrixSession]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each with its ini twin (``--matrix-out``: ``matrix_out``)."""
    group = parser.getgroup("trtmatrix", "version matrix (trtmatrix)")
    for option in OPTIONS:
        option.add(group, parser)


def pytest_plugin_registered(plugin: object) -> None:
    """Let a ``conftest.py`` (or any pytest plugin) implement hooks of :mod:`harness.plugins.hookspecs`.

    :raises pytest.UsageError: one of them is no hook, in one line
    """
    # Asked of an empty manager: the registered parts take a while to import, for sessions without any.
    names = [name for name in dir(plugin) if name.startswith("trtmatrix_")]
    if any(_HOOKS.parse_hookimpl_opts(plugin, name) for name in names):
        from harness.plugins import registry

        where = plugin.__file__ if isinstance(plugin, ModuleType) else None
        try:
            registry.register(plugin, str(where or plugin))
        except TrtmatrixError as error:
            raise pytest.UsageError(error.one_line) from None


def pytest_configure(config: pytest.Config) -> None:
    """Refuse in one line what cannot be measured: a bad matrix file, several processes on one machine."""
    if not (option_value(config, "matrix") or MatrixSession.names_suites(config)):
        return
    workers = getattr(config.option, "numprocesses", None) or getattr(config.option, "tx", None)
    if workers:
        raise pytest.UsageError(
            "trtmatrix measures one cell at a time: run without -n (cells side by side disturb each other)"
        )
    # Read here and not at collection, where pytest would show a mistake in a file with a traceback.
    session = matrix_session(config)
    _ = session.plan, session.policy
    check_executor(config, session.plan)
    check_history(config)


def matrix_session(config: pytest.Config) -> MatrixSession:
    """Return the run of this session, made at first use."""
    if _SESSION not in config.stash:
        config.stash[_SESSION] = MatrixSession(config)
    return config.stash[_SESSION]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize over the cells of the matrix, and over bottlenecks and builds where a test asks."""
    if "trtmatrix_cell" not in metafunc.fixturenames:
        return
    session = matrix_session(metafunc.config)
    cells = session.plan.cells
    metafunc.parametrize("trtmatrix_cell", cells, ids=[cell.id for cell in cells], scope="session")
    if "trtmatrix_bottleneck" in metafunc.fixturenames:
        metafunc.parametrize("trtmatrix_bottleneck", session.bottleneck_names(), scope="session")
    if "trtmatrix_build" in metafunc.fixturenames:
        builds = range(session.rounds)
        metafunc.parametrize("trtmatrix_build", builds, ids=[f"build{b}" for b in builds], scope="session")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cells are left after every deselection: those are measured."""
    keep_session(session)
    cells: dict[Cell, None] = {}
    for item in session.items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "trtmatrix_cell" in callspec.params:
            cells[callspec.params["trtmatrix_cell"]] = None
    if cells:
        matrix_session(session.config).selected = list(cells)


@pytest.fixture(scope="session")
def trtmatrix_run(request: pytest.FixtureRequest) -> RunObservation:
    """All that this session's run measured (or that ``--matrix-run`` names), read from its bundle."""
    return matrix_session(request.config).observation()


@pytest.fixture(scope="session")
def trtmatrix_verdicts(request: pytest.FixtureRequest) -> list[Verdict]:
    """The verdicts over this session's run, against the matrix's baseline."""
    return matrix_session(request.config).verdicts()


@pytest.fixture(scope="session")
def trtmatrix_fail_on(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The verdicts that fail a test, as the matrix's ``[policy]`` says."""
    return matrix_session(request.config).plan.matrix.fail_on


@pytest.fixture(scope="session")
def trtmatrix_policy(request: pytest.FixtureRequest) -> Policy:
    """What fails a test: the matrix's ``[policy]``, and the changes that were accepted."""
    return matrix_session(request.config).policy


@pytest.fixture
def trtmatrix_observed(trtmatrix_cell: Cell, trtmatrix_run: RunObservation) -> CellObservation:
    """What was measured of ``trtmatrix_cell``; skips with the reason where it cannot run here."""
    seen = next((c for c in trtmatrix_run.cells if c.cell.id == trtmatrix_cell.id), None)
    if seen is None:
        pytest.skip("not part of this run")
    if seen.status in ("unsupported", "unavailable", "interrupted"):
        pytest.skip(f"{seen.status}: {seen.reason}")
    return seen


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the matrix, where one is asked for."""
    matrix = option_value(config, "matrix")
    return [f"trtmatrix: {Path(str(matrix)).name}"] if matrix else []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say where the bundle lies, and what pytest-benchmark's gate says, which would end in a traceback."""
    config = terminalreporter.config
    session = config.stash.get(_SESSION, None)
    lines: list[str] = []
    try:
        yield
    except Exception as error:
        if session is None or not is_regression(error):
            raise
        lines = [fail_gate(config)]
    if session is not None and session.bundle is not None:
        lines = [*session.summary(), *(f"trtmatrix: {line}" for line in session.tell()), *lines]
    elif session is not None and config.getoption("--matrix") and not session.selected:
        lines.append("trtmatrix: nothing is measured: no test asks for a cell (fixture trtmatrix_observed)")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Give each test of a cell properties, which JUnit files show: the cell's parts, what was measured."""
    callspec = getattr(item, "callspec", None)
    # Once, after the fixtures have measured: every later report of the test carries them too.
    if call.when == "setup" and callspec is not None and "trtmatrix_cell" in callspec.params:
        item.user_properties.extend(_properties(item, callspec.params))
    yield


def _properties(item: pytest.Item, params: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the properties of a test of a cell; of measurements only what the test itself asked for."""
    from harness.pytest_plugin.properties import cell_parts, judged, measured

    cell: Cell = params["trtmatrix_cell"]  # type: ignore[assignment]
    names = getattr(item, "fixturenames", ())
    session = matrix_session(item.config)
    seen = session.observed(cell) if "trtmatrix_run" in names else None
    bottleneck = str(params.get("trtmatrix_bottleneck"))
    about = session.judged(cell, bottleneck) if "trtmatrix_verdicts" in names else ()
    return [*cell_parts(cell), *(measured(seen) if seen is not None else ()), *judged(about)]
