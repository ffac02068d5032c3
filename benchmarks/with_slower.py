"""The command ``trtmatrix`` with the networks of ``slower_networks.py`` registered.

python benchmarks/with_slower.py run benchmarks/aa_cpu_slower.toml --out RUN
python benchmarks/with_slower.py pack benchmarks/aa_gpu.toml -o PACK
"""

from __future__ import annotations

import sys

import slower_networks

from harness.cli import main
from harness.plugins import registry

if __name__ == "__main__":
    registry.manager().register(slower_networks)
    sys.exit(main())
