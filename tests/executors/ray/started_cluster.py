"""A Ray cluster of two nodes on this machine: ``python -m tests.executors.ray.started_cluster``.

Says its address and the id of the node that is no head, kills that node when it is told ``kill``, and ends
with its standard input.
"""

from __future__ import annotations

import os
import sys

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


def main() -> None:
    # Ray's workers are started when they are needed, at the priority of the node.
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_worker_niceness": "0",
    }
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    worker = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    print(f"cluster {cluster.address} {worker.node_id}", flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(worker, allow_graceful=False)
    cluster.shutdown()


if __name__ == "__main__":
    main()
