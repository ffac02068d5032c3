"""The network from an ONNX file, through the version's own parser."""

from typing import Any, Dict, List  # noqa: F401

from harness.worker.errors import FailedError, UnsupportedError

from .features import Features
from .plan import Plan


def parse(trt: Any, features: Features, network: Any, logger: Any, path: str, plan: Plan) -> Any:
    """Fill *network* from the ONNX file at *path*; return the parser, to be kept until the build is over.

    :raises FailedError: the parser refuses the file, with its first error
    :raises UnsupportedError: the parser wants another batch mode than the plan
    """
    if plan.implicit and features.parse_with_path:
        raise UnsupportedError("network source onnx: the parser of this version knows explicit batch only")
    parser = trt.OnnxParser(network, logger)
    with open(path, "rb") as stream:
        content = stream.read()
    # The path lets later parsers find weights that lie beside the file; earlier ones take the bytes alone.
    parsed = parser.parse(content, path) if features.parse_with_path else parser.parse(content)
    if not parsed:
        problems = [str(parser.get_error(index)) for index in range(parser.num_errors)]
        raise FailedError("onnx: " + (problems[0] if problems else "refused without an error"))
    return parser
