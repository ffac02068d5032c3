"""A Ray cluster as a fleet: nodes looked at, actors placed on them, their events fetched.

Nothing here outlives the run: actors belong to the driver, and are killed with it; what they had no time to
remove a task on their node does.
"""

from __future__ import annotations

import logging
import secrets
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from harness.errors import ClusterNodesError, NoClusterError
from harness.execution.fleet import GPU, Event, Fleet, Lost, Need, Order, Over, Place, Said
from harness.executors.process import clear
from harness.executors.ray.actor import BlockActor, surveyor
from harness.executors.ray.nodes import demands, names, places_of, problem_of
from harness.written import number_of

_SURVEY_SECONDS = 120.0
_LOOK_SECONDS = 5.0
"""Between looks at which nodes are there: they may come and go."""
_PATIENCE_SECONDS = 20.0
"""After which it is said that Ray has not placed a block yet."""
_POLL_SECONDS = 2.0
_STOP_SECONDS = 40.0
"""That actors have to end what measures, which has half a minute itself."""
_CLEAR_SECONDS, _QUIET_SECONDS = 15.0, 3.0
"""That processes of killed actors have to end in, and after which none turns up any more."""


@dataclass
class _Block:
    place: Place
    actor: Any
    poll: Any
    since: float
    answered: bool = False
    told: bool = False


class RayFleet(Fleet):
    """The nodes of the cluster at *address*.

    :raises NoClusterError: none answers
    """

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        self._address, self._say = address, say
        self._looked = -_LOOK_SECONDS
        self._found: dict[str, list[Place]] = {}
        self._resources: dict[str, Mapping[str, float]] = {}
        self._alive: list[str] = []
        self._blocks: dict[int, _Block] = {}
        self._sent: dict[str, Any] = {}
        self._mark = secrets.token_hex(4)
        self._unsure: set[str] = set()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(
                    address=address, log_to_driver=False, logging_level=logging.ERROR, namespace="trtmatrix"
                )
        except (ConnectionError, RuntimeError, RayError, ValueError) as error:
            said = " ".join(str(error).split())
            raise NoClusterError(f"--address {address}: no Ray cluster can be used there: {said}") from None

    def places(self, needs: Sequence[Need]) -> Sequence[Place]:
        """Return the places of the nodes that are there now; new ones are looked at, and told.

        :raises ClusterNodesError: none can be used
        """
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._look(needs)
            self._looked = time.monotonic()
        found = [place for node in self._alive for place in self._found[node]]
        if not found:
            raise ClusterNodesError(
                f"--address {self._address}: no node of the cluster can measure; each needs a CPU or GPU "
                "for Ray, and this very trtmatrix"
            )
        return found

    def _look(self, needs: Sequence[Need]) -> None:
        # Ray states no types, and need not be here where types are checked.
        nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
        alive = [node for node in nodes() if node["Alive"]]
        called = names(alive)
        new = [node for node in alive if node["NodeID"] not in self._found]
        answers = {node["NodeID"]: _survey(node["NodeID"], needs) for node in new}
        for node in new:
            name, found = called[node["NodeID"]], _answer(answers[node["NodeID"]])
            problem = found["problem"] if "problem" in found else problem_of(found)
            if problem is not None:
                self._say(f"{name} is left out: {problem}")
            mine = [] if problem is not None else places_of(node, name, found)
            self._found[node["NodeID"]], self._resources[node["NodeID"]] = mine, node["Resources"]
            if mine:
                self._say(f"{name}: {_devices(mine)}")
        self._alive = [node["NodeID"] for node in alive]

    def start(self, number: int, place: Place, order: Order, files: Mapping[str, Path]) -> None:
        """Create an actor for *order* on the node of *place*."""
        for digest, path in files.items():
            if digest not in self._sent:
                self._sent[digest] = ray.put(path.read_bytes())
        options: dict[str, Any] = {
            **demands(place, self._resources[place.node]),
            "scheduling_strategy": NodeAffinitySchedulingStrategy(place.node, soft=False),
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": 2,
        }
        actor: Any = (
            ray.remote(BlockActor)
            .options(**options)
            .remote(order, {d: self._sent[d] for d in files}, self._mark)
        )
        poll = actor.events.remote(_POLL_SECONDS)
        self._blocks[number] = _Block(place, actor, poll, time.monotonic())

    def events(self, seconds: float) -> Sequence[tuple[int, Event]]:
        """Return what became of the orders since last time."""
        polls = {block.poll: number for number, block in self._blocks.items()}
        ready, _ = ray.wait(list(polls), num_returns=1, timeout=seconds)
        found: list[tuple[int, Event]] = []
        for poll in ready:
            number = polls[poll]
            block = self._blocks[number]
            try:
                events = ray.get(poll)
            except RayError as error:
                events = [Lost(_words(error))]
                self._looked = -_LOOK_SECONDS  # The node may be gone.
            else:
                block.answered = True
                block.poll = block.actor.events.remote(_POLL_SECONDS)
            found += [(number, event) for event in events]
            if any(isinstance(event, Over | Lost) for event in events):
                self.stop(number)
        return [*found, *self._unplaced()]

    def _unplaced(self) -> list[tuple[int, Event]]:
        """Return a word for each block that Ray has not placed yet, once."""
        late = [
            (number, block)
            for number, block in self._blocks.items()
            if not (block.answered or block.told) and time.monotonic() - block.since > _PATIENCE_SECONDS
        ]
        for _, block in late:
            block.told = True
        asked = {True: "a GPU", False: "its CPUs"}
        after = f"not begun after {_PATIENCE_SECONDS:.0f} s: it is slow, or other work has"
        return [(number, Said(f"{after} {asked[block.place.kind == GPU]}")) for number, block in late]

    def stop(self, number: int) -> None:
        """End what measures and its actor."""
        self._stop([number])

    def _stop(self, numbers: Sequence[int]) -> None:
        blocks = [block for number in numbers if (block := self._blocks.pop(number, None)) is not None]
        # One that was not placed yet would not answer.
        asked = {block.actor.stop.remote(): block for block in blocks if block.answered}
        ended, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_STOP_SECONDS) if asked else ([], [])
        for block in blocks:
            if not any(asked[one] is block and _is_fine(one) for one in ended):
                self._unsure.add(block.place.node)
            with suppress(RayError):
                ray.kill(block.actor)

    def close(self) -> None:
        """Leave the cluster, and on its nodes nothing of the run."""
        self._stop(list(self._blocks))
        self._clear()
        self._sent.clear()
        ray.shutdown()

    def _clear(self) -> None:
        """Have removed what killed actors left: Ray kills their processes with them."""
        with suppress(RayError):
            nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
            alive = {node["NodeID"] for node in nodes() if node["Alive"]}
            tasks = [
                _on(node, clear).remote(self._mark, _CLEAR_SECONDS, _QUIET_SECONDS)
                for node in self._unsure & alive
            ]
            if tasks:
                ray.wait(tasks, num_returns=len(tasks), timeout=_STOP_SECONDS)


def _survey(node: str, needs: Sequence[Need]) -> Any:
    return _on(node, surveyor()).remote(list(needs))


def _on(node: str, function: Callable[..., Any]) -> Any:
    """Return *function* as a task on *node* that asks for none of its devices."""
    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(function).options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)


def _is_fine(answer: Any) -> bool:
    """Say whether a call that is over did not raise."""
    try:
        ray.get(answer)
    except RayError:
        return False
    return True


def _answer(answer: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = ray.get(answer, timeout=_SURVEY_SECONDS)
    except RayError as error:  # a timeout among them
        return {"problem": f"it did not say what it has ({_words(error)})"}
    return found


def _devices(places: Sequence[Place]) -> str:
    gpus = sum(place.kind == GPU for place in places)
    parts = [number_of(gpus, "GPU")] if gpus else []
    return " and ".join([*parts, *(["its CPUs"] if gpus < len(places) else [])])


def _words(error: Exception) -> str:
    """Return what Ray says, in one short line."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}"[:300]
