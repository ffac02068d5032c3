"""Dialect C, TensorRT 8.0 to 8.4: the build returns the serialized engine; bindings by index."""

from typing import Any, Optional

from .dialect_config import Configured


class Serialized(Configured):
    """As dialect B, with a build that ends in bytes."""

    letter = "C"

    def build(self, builder: Any, network: Any, config: Any) -> Optional[Any]:
        """Return the serialized engine, None when the builder refused."""
        return builder.build_serialized_network(network, config)

    def serialize(self, engine: Any) -> Any:
        """Return *engine*, which is serialized already."""
        return engine
