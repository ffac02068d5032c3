"""What is misspelled is answered with what is near; matrix files that come along have bare names."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from harness.cli import COMMANDS, build_parser, main
from harness.errors import NoSuchFileError, OutputPathError, did_you_mean
from harness.execution.plan import is_matrix, matrix_path, suites
from harness.store.files import write_text
from harness.store.parquet import write_table
from harness.store.schema import LAYER_TIMES
from harness.versions import NoSuchVersionError, select


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("chek", "'chek' is unknown; did you mean 'check'?; see 'trtmatrix --help'"),
        ("run --quik", "--quik; did you mean '--quick'?; see 'trtmatrix run --help'"),
        ("judge RUN --fail_on=x", "--fail_on=x; did you mean '--fail-on'?; see 'trtmatrix judge --help'"),
        ("list versons", "'versons' is unknown; did you mean 'versions'?; see 'trtmatrix list --help'"),
        ("images prun", "'prun' is unknown; did you mean 'prune'?; see 'trtmatrix images --help'"),
        ("frobnicate", "'frobnicate' is unknown (choose from list, check, run,"),
        ("run defualt", "no suite of that name comes along; did you mean 'default'?"),
    ],
)
def test_a_word_that_is_near_is_named_in_one_line(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(words.split())
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_every_option_is_near_itself() -> None:
    parser = build_parser()
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            parser.parse_args([name, "--help"])
    assert "--version" in parser.options


@given(st.sampled_from(COMMANDS), st.integers(0, 20))
def test_a_letter_that_is_missing_does_not_hide_a_command(name: str, at: int) -> None:
    word = name[: at % len(name)] + name[at % len(name) + 1 :]
    near = did_you_mean(word, COMMANDS)
    # Another command may be as near ("report" without its first letters); some command is named.
    assert not near or near.removeprefix("; did you mean '").removesuffix("'?") in COMMANDS
    if len(name) > 4:
        assert near


def test_a_version_that_is_near_is_named() -> None:
    with pytest.raises(
        NoSuchVersionError, match=r"no version fits '8\.6\.9'; did you mean '8\.6\.0'\?; known:"
    ):
        select("8.6.9", ["8.5.3.1", "8.6.0"])


def test_suites_that_come_along_have_bare_names_and_files_go_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"default", "tensorrt_core"} <= set(suites())
    assert matrix_path(Path("default")) == suites()["default"]
    assert is_matrix(Path("default"))
    Path("mine").mkdir()
    assert not is_matrix(Path("mine"))
    Path("default").write_text("of the user's own")
    assert matrix_path(Path("default")) == Path("default")
    assert matrix_path(Path("other.toml")) == Path("other.toml")
    with pytest.raises(NoSuchFileError, match="these come along: default"):
        matrix_path(Path("xyzxyz"))


def test_a_place_that_refuses_files_is_refused_before_the_work() -> None:
    from harness.cli.outputs import check_new_folder

    if not Path("/proc/self").exists():
        pytest.skip("no /proc on this system")
    with pytest.raises(OutputPathError, match="--out /proc/run: /proc cannot be written to"):
        check_new_folder(Path("/proc/run"), "--out")


def test_errors_of_writing_name_the_file_and_no_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/page.html/inside").mkdir(parents=True)
    target = tmp_path / "folder/page.html"
    for write in (lambda: write_table(target, [], LAYER_TIMES), lambda: write_text(target / "inside", "x")):
        with pytest.raises(OSError, match="irectory") as caught:
            write()
        assert str(caught.value.filename) in (str(target), str(target / "inside"))
        assert caught.value.filename2 is None
