"""Sessions share a worker's time equally; who needs little is served at once, and nobody saves up."""

from bridge.streams.fair import FairShares


def worked(shares: FairShares, costs: dict[str, float], steps: int) -> dict[str, float]:
    """Return the time that each session got in so many steps."""
    got = dict.fromkeys(costs, 0.0)
    for _ in range(steps):
        name = shares.next(list(costs))
        assert name is not None
        shares.charge(name, costs[name])
        got[name] += costs[name]
    return got


def test_time_is_shared_equally_whatever_a_step_costs() -> None:
    shares = FairShares()
    for name in "abc":
        shares.add(name)
    got = worked(shares, {"a": 0.01, "b": 0.05, "c": 0.2}, 600)
    assert max(got.values()) - min(got.values()) <= 0.25


def test_one_that_waited_does_not_catch_up_on_the_others() -> None:
    shares = FairShares()
    shares.add("listener")
    shares.add("busy")
    for _ in range(100):
        shares.next(["busy"])
        shares.charge("busy", 0.1)
    got = worked(shares, {"listener": 0.1, "busy": 0.1}, 20)
    assert got["busy"] > 0.85


def test_a_new_one_is_served_first_and_then_shares() -> None:
    shares = FairShares()
    shares.add("old")
    for _ in range(200):
        shares.next(["old"])
        shares.charge("old", 0.1)
    shares.add("new")
    assert shares.next(["old", "new"]) == "new"
    got = worked(shares, {"old": 0.1, "new": 0.1}, 40)
    assert got["old"] > 1.5


def test_of_two_new_ones_neither_waits_for_the_other_to_be_done() -> None:
    shares = FairShares()
    shares.add("first")
    shares.add("second")
    got = worked(shares, {"first": 0.1, "second": 0.1}, 6)
    assert got["first"] == got["second"]


def test_who_has_nothing_to_hear_comes_before_work_ahead_for_others() -> None:
    shares = FairShares()
    for name in ("silent", "ahead", "silent too"):
        shares.add(name)
    for _ in range(20):
        name = shares.next(["silent", "ahead", "silent too"], ["silent", "silent too"])
        assert name in ("silent", "silent too")
        shares.charge(name, 0.1)
    assert shares.next(["silent", "ahead"]) == "ahead"


def test_nobody_is_next_where_nobody_can_be_worked_for() -> None:
    shares = FairShares()
    shares.add("a")
    assert shares.next([]) is None
    shares.remove("a")
    assert shares.next([]) is None
