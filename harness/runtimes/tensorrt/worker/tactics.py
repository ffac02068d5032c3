"""Tactic sources: where the builder may take kernels from, set explicitly on every version that can."""

from typing import Any, List

from harness.worker.errors import UnsupportedError
from harness.worker.result import Result

from .features import Features

EXTERNAL = ("CUBLAS", "CUBLAS_LT", "CUDNN")
CORE = ("EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS")
EXTERNAL_OFF = "DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805"


def offered(trt: Any) -> List[str]:
    """Return the sources that this version names, external ones first."""
    source = getattr(trt, "TacticSource", None)
    return [name for name in EXTERNAL + CORE if hasattr(source, name)]


def mask(trt: Any, names: List[str]) -> int:
    """Return the bits of *names*; their values differ between versions."""
    return sum(1 << int(getattr(trt.TacticSource, name)) for name in names)


def set_sources(trt: Any, features: Features, config: Any, asked: str, result: Result) -> None:
    """Set mask and preview feature for *asked* (``core``, ``all``, ``default``), and record what holds then.

    :raises UnsupportedError: the version has sources, but none of the builder's own to leave on
    """
    if not features.tactic_sources:
        if asked != "default":
            result.cannot_express("tactic_sources {}: this version has no tactic sources".format(asked))
        return
    names = offered(trt)
    if asked == "core":
        wanted = [name for name in names if name in CORE]
        if not wanted:
            raise UnsupportedError("tactic_sources core: this version names external sources only")
    else:
        wanted = names
    if asked != "default" and not config.set_tactic_sources(mask(trt, wanted)):
        result.cannot_express("tactic_sources {}: refused by the builder".format(asked))
    _set_preview(trt, features, config, asked, result)
    kept = int(config.get_tactic_sources())
    effective = [name for name in names if kept >> int(getattr(trt.TacticSource, name)) & 1]
    result.setting("tactic_sources", effective)
    result.fact("tactic_sources", effective)


def _set_preview(trt: Any, features: Features, config: Any, asked: str, result: Result) -> None:
    # On by default in 8.6 and off in 8.5: left alone, the two would differ in more than their kernels.
    if not features.preview_features:
        return
    if hasattr(trt.PreviewFeature, EXTERNAL_OFF) and asked != "default":
        config.set_preview_feature(getattr(trt.PreviewFeature, EXTERNAL_OFF), asked == "core")
    known = [name for name in dir(trt.PreviewFeature) if name.isupper()]
    state = {name: bool(config.get_preview_feature(getattr(trt.PreviewFeature, name))) for name in known}
    result.setting("preview_features", state)
    result.fact("preview_features", ["{}={}".format(name, int(on)) for name, on in sorted(state.items())])
