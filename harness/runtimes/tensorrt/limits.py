"""What a TensorRT version can never do, known from its number before anything is fetched.

The worker finds the same by feature tests inside the environment, which are the authority; these lines
spare the download. Source: the tables of versions in ``docs/reference/tensorrt-api.md``.
"""

from __future__ import annotations

from harness.matrix.cell import Treatment

_LINEAR = "linear"


def treatment_reason(release: tuple[int, ...], treatment: Treatment) -> str | None:
    """Say why *treatment* cannot be expressed in a TensorRT with the numbers *release*, None if it can."""
    for asked, possible, reason in (
        (treatment.batch_mode == "implicit", release < (10,), "implicit batch went away in 10.0"),
        (treatment.batch_mode == "explicit", release >= (6,), "explicit batch came with 6.0"),
        (treatment.typing == "strong", release >= (9,), "strong typing came with 9.0"),
        (treatment.typing == "weak", release < (11,), "weak typing went away in 11.0"),
        (treatment.tensor_format != _LINEAR, release >= (6,), "tensor formats came with 6.0"),
        (
            treatment.cuda_graph == "on",
            release >= (6,),
            "capture needs execute_async_v2, which came with 6.0",
        ),
    ):
        if asked and not possible:
            return reason
    return None
