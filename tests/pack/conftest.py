"""One pack of this Python and the onnxruntime installed here, which several modules carry away."""

from __future__ import annotations

import pytest

from harness.pack.build import make_pack
from tests.pack.small_pack import SmallPack, small_options, small_order


@pytest.fixture(scope="session")
def small_pack(tmp_path_factory: pytest.TempPathFactory) -> SmallPack:
    """Its order, its options, and the folder of its parts."""
    root = tmp_path_factory.mktemp("pack")
    order, options = small_order(root), small_options(root)
    parts = root / "parts"
    make_pack(order, parts, options, lambda _: None)
    return SmallPack(order, options, parts)
