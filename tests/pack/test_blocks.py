"""The order of a visit and its budget."""

from harness.pack.host.blocks import DEFAULT_SECONDS, MARGIN, Budget, blocks

JOBS = {f"{subject}-{version}": {"subject": subject} for subject in ("b", "a") for version in range(4)}


def test_a_block_holds_every_version_of_one_subject_once() -> None:
    found = blocks(JOBS, 3, seed=1)
    assert [(block.subject, block.round) for block in found] == [(s, r) for s in ("b", "a") for r in range(3)]
    for block in found:
        assert sorted(block.cells) == [f"{block.subject}-{version}" for version in range(4)]


def test_a_round_of_everything_can_come_before_the_next() -> None:
    found = blocks(JOBS, 3, seed=1, by_round=True)
    assert [(block.subject, block.round) for block in found] == [(s, r) for r in range(3) for s in ("b", "a")]
    assert sorted(found) == sorted(blocks(JOBS, 3, seed=1))


def test_the_order_within_a_block_is_random_and_the_seed_decides_it() -> None:
    orders = {block.cells for block in blocks(JOBS, 20, seed=1) if block.subject == "a"}
    assert len(orders) > 10
    assert blocks(JOBS, 20, seed=1) == blocks(JOBS, 20, seed=1)
    assert blocks(JOBS, 20, seed=1) != blocks(JOBS, 20, seed=2)


def test_the_order_of_a_block_does_not_depend_on_what_else_is_asked_for() -> None:
    alone = {cell: job for cell, job in JOBS.items() if job["subject"] == "a"}
    assert blocks(alone, 1, seed=1)[0] == next(b for b in blocks(JOBS, 3, seed=1) if b.subject == "a")


def test_a_budget_expects_the_longest_build_of_the_cell_so_far() -> None:
    budget = Budget(100.0, lambda: 0.0, {})
    assert budget.expected("a") == DEFAULT_SECONDS * MARGIN
    budget.took("b", 30.0)
    assert budget.expected("a") == 30.0 * MARGIN
    budget.took("a", 20.0)
    budget.took("a", 10.0)
    assert budget.expected("a") == 20.0 * MARGIN


def test_a_budget_expects_of_a_cell_not_seen_yet_what_its_version_took() -> None:
    budget = Budget(100.0, lambda: 0.0, {"a-8.5": "8.5", "b-8.5": "8.5", "a-8.6": "8.6", "a-9": "9"})
    budget.took("a-8.5", 20.0)
    budget.took("a-8.6", 40.0)
    assert budget.expected("b-8.5") == 20.0 * MARGIN
    assert budget.expected("a-9") == 40.0 * MARGIN


def test_a_budget_allows_what_is_likely_to_end_in_time() -> None:
    now = 0.0
    budget = Budget(100.0, lambda: now, {})
    budget.took("a", 20.0)
    budget.took("b", 40.0)
    assert budget.allows(["a", "b"])
    now = 40.0
    assert not budget.allows(["a", "b"])
    assert budget.allows(["b"])
    assert Budget(None, lambda: 1e9, {}).allows(["a"])
