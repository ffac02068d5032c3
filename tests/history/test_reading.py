"""Series as they are read: what does not apply to a runtime is no row of zeros."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from harness.history.reading import that_apply
from harness.history.records import Facts, Point, Series, Subject

RUNTIMES = ("onnxruntime", "tensorrt")
MEASURES = ("latency", "reformats", "adoption:gemm", "adoption:gemm_as_conv1x1")
AT = datetime(2026, 11, 1, tzinfo=UTC)
FACTS = Facts(*[""] * len(Facts.__dataclass_fields__))


def _series(runtime: str, version: str, measure: str, value: float) -> Series:
    point = Point("n1", AT, value, None, None, (value,), FACTS)
    subject = Subject("mobilenet_v2", "fp32-b1-clip", runtime, version, "venv", "host-a")
    return Series(subject, measure, "share", (point,))


@given(
    st.lists(
        st.builds(
            _series,
            st.sampled_from(RUNTIMES),
            st.sampled_from(("1.0", "2.0")),
            st.sampled_from(MEASURES),
            st.sampled_from((0.0, 0.5)),
        )
    )
)
def test_only_the_adoption_of_runtimes_that_never_chose_is_left_out(found: list[Series]) -> None:
    kept = that_apply(found)
    assert [one for one in found if one in kept] == list(kept), "the order stays"
    for one in found:
        chosen = any(
            other.points[0].value
            for other in found
            if other.subject.runtime == one.subject.runtime and other.measure.startswith("adoption:")
        )
        assert (one in kept) == (chosen or not one.measure.startswith("adoption:"))
