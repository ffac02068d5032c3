"""What an engine says about itself: layers (8.2 on), inputs and outputs, sizes."""

from typing import Any, Dict, List, Optional

from .features import Features


def layers(trt: Any, features: Features, engine: Any, context: Optional[Any]) -> Optional[str]:
    """Return the engine's own JSON, as it comes, None where the version has no inspector."""
    if not features.inspector:
        return None
    inspector = engine.create_engine_inspector()
    if context is not None:
        inspector.execution_context = context
    return str(inspector.get_engine_information(trt.LayerInformationFormat.JSON))


def device_memory_bytes(features: Features, engine: Any) -> Optional[int]:
    """Return bytes of scratch memory a context needs, None where the version does not say."""
    if features.device_memory_v2:
        return int(engine.device_memory_size_v2)
    return int(engine.device_memory_size) if features.device_memory else None


def tensors_json(session: Any) -> List[Dict[str, Any]]:
    """Return inputs and outputs with their types and formats."""
    return [
        {
            "name": tensor.name,
            "mode": "input" if tensor.is_input else "output",
            "shape": list(tensor.shape),
            "type": tensor.kind,
            "format": tensor.layout,
            "bytes": size,
        }
        for tensor, size in zip(session.tensors, session.sizes)
    ]
