"""The order of a visit and its budget."""

from harness.pack.host.blocks import DEFAULT_SECONDS, MARGIN, Budget, Kind, kind_of, rounds_of

JOBS = {f"{subject}-{version}": {"subject": subject} for subject in ("b", "a") for version in range(4)}


def test_a_block_holds_every_version_of_one_subject_once() -> None:
    found = rounds_of(JOBS, 3, seed=1)
    assert [(block.subject, block.round) for block in found] == [(s, r) for s in ("b", "a") for r in range(3)]
    for block in found:
        assert sorted(block.cells) == [f"{block.subject}-{version}" for version in range(4)]


def test_a_round_of_everything_can_come_before_the_next() -> None:
    found = rounds_of(JOBS, 3, seed=1, by_round=True)
    assert [(block.subject, block.round) for block in found] == [(s, r) for r in range(3) for s in ("b", "a")]
    assert sorted(found) == sorted(rounds_of(JOBS, 3, seed=1))


def test_the_order_within_a_block_is_random_and_the_seed_decides_it() -> None:
    orders = {block.cells for block in rounds_of(JOBS, 20, seed=1) if block.subject == "a"}
    assert len(orders) > 10
    assert rounds_of(JOBS, 20, seed=1) == rounds_of(JOBS, 20, seed=1)
    assert rounds_of(JOBS, 20, seed=1) != rounds_of(JOBS, 20, seed=2)


def test_the_order_of_a_block_does_not_depend_on_what_else_is_asked_for() -> None:
    alone = {cell: job for cell, job in JOBS.items() if job["subject"] == "a"}
    assert rounds_of(alone, 1, seed=1)[0] == next(b for b in rounds_of(JOBS, 3, seed=1) if b.subject == "a")


KINDS = {
    f"{network}-{precision}-{relu6}-{version}": Kind(version, frozenset({network, precision, relu6}))
    for network in ("v1", "v2")
    for precision in ("fp32", "fp16")
    for relu6 in ("clip", "pieces")
    for version in ("8.5", "8.6")
}


def test_a_budget_expects_the_longest_build_of_the_cell_so_far() -> None:
    budget = Budget(100.0, lambda: 0.0, KINDS)
    assert budget.expected("v1-fp32-clip-8.5") == DEFAULT_SECONDS * MARGIN
    budget.took("v2-fp16-clip-8.5", 30.0)
    assert budget.expected("v1-fp32-clip-8.5") == 30.0 * MARGIN
    budget.took("v1-fp32-clip-8.5", 20.0)
    budget.took("v1-fp32-clip-8.5", 10.0)
    assert budget.expected("v1-fp32-clip-8.5") == 20.0 * MARGIN


def test_a_budget_expects_of_a_cell_not_seen_yet_what_those_most_like_it_took() -> None:
    budget = Budget(100.0, lambda: 0.0, KINDS)
    budget.took("v2-fp16-clip-8.5", 50.0)
    budget.took("v2-fp16-pieces-8.5", 110.0)
    budget.took("v2-fp16-clip-8.6", 80.0)
    assert budget.expected("v1-fp32-clip-8.5") == 50.0 * MARGIN
    assert budget.expected("v1-fp32-pieces-8.5") == 110.0 * MARGIN
    assert budget.expected("v1-fp32-pieces-8.6") == 80.0 * MARGIN
    budget.took("v1-fp16-clip-8.5", 35.0)
    assert budget.expected("v1-fp32-clip-8.5") == 35.0 * MARGIN


def test_cells_as_alike_as_each_other_are_expected_to_take_the_longest_of_them() -> None:
    budget = Budget(100.0, lambda: 0.0, KINDS)
    budget.took("v2-fp16-clip-8.5", 50.0)
    budget.took("v2-fp32-pieces-8.5", 60.0)
    assert budget.expected("v1-fp32-clip-8.5") == 60.0 * MARGIN


def test_the_kind_of_a_job_is_its_version_network_and_treatment() -> None:
    cell = {"network": "v2", "treatment": {"precision": "fp16", "batch": 1}}
    kind = kind_of({"site": "tensorrt-8.6.0", "document": {"cell": cell}})
    assert kind == Kind("tensorrt-8.6.0", frozenset({"network=v2", "precision=fp16", "batch=1"}))
    other = Kind("tensorrt-8.6.0", frozenset({"network=v1", "precision=fp16", "batch=1"}))
    assert kind.likeness(other) == (True, 2)


def test_a_budget_allows_what_is_likely_to_end_in_time() -> None:
    now = 0.0
    short, long = "v1-fp32-clip-8.5", "v1-fp32-pieces-8.5"
    budget = Budget(100.0, lambda: now, KINDS)
    budget.took(short, 20.0)
    budget.took(long, 40.0)
    assert budget.allows([short, long])
    now = 40.0
    assert not budget.allows([short, long])
    assert budget.allows([long])
    assert Budget(None, lambda: 1e9, KINDS).allows([short])
