"""A matrix made of what was asked on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError, UsageError
from harness.matrix.compose import Question, compose, versions_of
from harness.matrix.treatment import COMMON_TABLE


def question(**changes: object) -> Question:
    said = {
        "runtime": "tensorrt",
        "versions": ("8.5.3.1", "8.6.0"),
        "network": "mobilenet_v2",
        "treatment": {},
    }
    return Question(**{**said, **changes})  # type: ignore[arg-type]


def test_versions_are_those_of_one_runtime_in_the_order_of_the_words() -> None:
    assert versions_of(["a==2", "a==1.0", "a==3"]) == ("a", ("2", "1.0", "3"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a==1"], "name at least two versions"),
        ([], "name at least two versions"),
        (["a==1", "a==1"], "each once"),
        (["a==1", "b==1"], "a and b: versions of one runtime are compared, not runtimes"),
        (["a==1", "==2"], "'==2': expected RUNTIME==VERSION"),
        (["a==1", "a=="], "'a==': expected RUNTIME==VERSION"),
    ],
)
def test_what_is_no_comparison_is_one_line(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        versions_of(words)


def test_the_question_is_a_matrix_with_the_first_version_as_its_baseline() -> None:
    treatment = {"precision": "fp16", "batch": "8", "cuda_graph": "on"}
    found = compose(question(treatment=treatment, environment="venv", minutes=2.5), COMMON_TABLE)
    assert (found.baseline, found.builds, found.minutes, found.precision) == ("8.5.3.1", 3, 2.5, 0.01)
    (versions,) = found.versions
    assert (versions.runtime, versions.versions, versions.environments) == (
        "tensorrt",
        ("8.5.3.1", "8.6.0"),
        ("venv",),
    )
    (block,) = found.blocks
    (one,) = block.treatments
    assert (block.networks, one.precision, one.batch, one.cuda_graph) == (("mobilenet_v2",), "fp16", 8, "on")


def test_a_treatment_that_there_is_not_names_its_place() -> None:
    with pytest.raises(InputError, match=r"comparison: \[\[block\]\] 1: key 'precision'"):
        compose(question(treatment={"precision": "fp7"}), COMMON_TABLE)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text))
def test_any_word_reaches_the_matrix_as_it_is(word: str) -> None:
    try:
        found = compose(question(network=word, versions=("1", word + "x")), COMMON_TABLE)
    except InputError:
        return
    assert found.blocks[0].networks == (word,)
    assert found.versions[0].versions == ("1", word + "x")
