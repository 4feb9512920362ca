"""How free slots are divided among what is ready."""

from collections import Counter
from pathlib import Path

from mediahost.host.in_hand import Held
from mediahost.host.schedule import READ_AHEAD_MOST, Choice, Limit, Schedule, Share
from mediahost.model.job import ClaimedJob, JobRequest, Token
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import Ready

LIMITS = {"t.gpu": Limit("gpu", None), "t.ask": Limit("network", 2)}


def limit_of(action: str) -> Limit:
    return LIMITS.get(action, Limit("cpu", None))


def job(source: str = "user", action: str = "t.look") -> Held:
    media = MediaFile(Path("/a"), MediaKind.AUDIO, "h")
    request = JobRequest(action, 1, {}, media, "c", source=source)
    return Held(ClaimedJob(request, Token(request.job_id, 1), 0))


def limits(shares: list[Share]) -> dict[str, int]:
    return {share.source: share.limit for share in shares}


def serve(schedule: Schedule, ready: list[Ready], seconds: dict[str, float]) -> list[str]:
    """One slot, claimed and done again and again: whose turn it was."""
    order = []
    for _ in range(40):
        shares = schedule.shares(ready, lambda _pool: 1)
        (share,) = [one for one in shares if one.limit]
        one = job(share.source)
        schedule.claimed([one])
        schedule.ended(one, seconds[share.source])
        order.append(share.source)
    return order


def test_a_single_source_gets_everything() -> None:
    schedule = Schedule(limit_of, {})
    assert limits(schedule.shares([Ready("user", "t.look")], lambda _pool: 3)) == {"user": 3}


def test_sources_share_evenly_whatever_each_has_waiting() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("dump", "t.look"), Ready("user", "t.look")]
    assert limits(schedule.shares(ready, lambda _pool: 8)) == {"dump": 4, "user": 4}


def test_a_weight_is_so_many_shares() -> None:
    schedule = Schedule(limit_of, {"watch:*": 3.0})
    ready = [Ready("user", "t.look"), Ready("watch:talks", "t.look")]
    counts = Counter(serve(schedule, ready, {"user": 1.0, "watch:talks": 1.0}))
    assert counts == {"user": 10, "watch:talks": 30}


def test_time_is_shared_not_the_number_of_jobs() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("long", "t.look"), Ready("short", "t.look")]
    counts = Counter(serve(schedule, ready, {"long": 4.0, "short": 1.0}))
    assert 7 <= counts["long"] <= 9


def test_who_comes_back_from_a_rest_has_saved_nothing() -> None:
    schedule = Schedule(limit_of, {})
    both = [Ready("early", "t.look"), Ready("late", "t.look")]
    serve(schedule, both, {"early": 1.0, "late": 1.0})
    serve(schedule, both[:1], {"early": 1.0})
    counts = Counter(serve(schedule, both, {"early": 1.0, "late": 1.0}))
    assert counts == {"early": 20, "late": 20}


def test_a_full_pool_holds_up_no_other() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("user", "t.gpu"), Ready("user", "t.look")]
    shares = schedule.shares(ready, {"gpu": 0, "cpu": 2}.__getitem__)
    assert shares == [Share("user", 2, (Choice(("t.look",), 2),))]


def test_an_action_keeps_to_its_own_limit() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("user", "t.ask")]
    (share,) = schedule.shares(ready, lambda _pool: 9)
    assert share.choices == (Choice(("t.ask",), 2),)
    first, second = job(action="t.ask"), job(action="t.ask")
    schedule.claimed([first, second])
    assert schedule.shares(ready, lambda _pool: 9) == []
    schedule.ended(first)
    (share,) = schedule.shares(ready, lambda _pool: 9)
    assert share.choices == (Choice(("t.ask",), 1),)


def test_short_jobs_are_claimed_ahead_and_long_ones_are_not() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("user", "t.look")]
    serve(schedule, ready, {"user": 0.001})
    (share,) = schedule.shares(ready, lambda _pool: 1)
    assert READ_AHEAD_MOST / 2 < share.limit <= READ_AHEAD_MOST
    assert schedule.has_room({"cpu": 0})
    serve(schedule, ready, {"user": 1.0})
    assert limits(schedule.shares(ready, lambda _pool: 1)) == {"user": 1}
    assert not schedule.has_room({"cpu": 0})


def test_more_is_claimed_ahead_when_half_of_it_is_done() -> None:
    schedule = Schedule(limit_of, {})
    ready = [Ready("user", "t.look")]
    serve(schedule, ready, {"user": 0.0})
    (share,) = schedule.shares(ready, lambda _pool: 0)
    jobs = [job() for _ in range(share.limit)]
    schedule.claimed(jobs)

    for one in jobs[: share.limit // 2 - 1]:
        schedule.ended(one, 0.0)
    assert not schedule.has_room({"cpu": 0})

    for one in jobs[share.limit // 2 - 1 : share.limit // 2]:
        schedule.ended(one, 0.0)
    assert schedule.has_room({"cpu": 0})
    assert limits(schedule.shares(ready, lambda _pool: 0)) == {"user": share.limit // 2}


def test_an_action_is_claimed_ahead_by_its_own_time() -> None:
    """Quick probes say nothing of the transcripts that they are mixed with."""
    schedule = Schedule(limit_of, {})
    serve(schedule, [Ready("user", "t.look")], {"user": 0.001})
    (share,) = schedule.shares([Ready("user", "t.slow")], lambda _pool: 2)
    assert share.choices == (Choice(("t.slow",), 2),)


def test_long_jobs_take_their_slots_beside_quick_ones_that_are_ahead() -> None:
    schedule = Schedule(limit_of, {})
    serve(schedule, [Ready("user", "t.look")], {"user": 0.001})
    both = [Ready("user", "t.look"), Ready("user", "t.slow")]
    (share,) = schedule.shares(both, lambda _pool: 2)
    now, then = share.choices
    assert now == Choice(("t.look", "t.slow"), 2)
    assert (then.actions, then.ahead) == (("t.look",), True)
    assert then.most > READ_AHEAD_MOST / 2


def test_nothing_is_claimed_ahead_of_long_jobs_that_have_all_slots() -> None:
    schedule = Schedule(limit_of, {})
    serve(schedule, [Ready("user", "t.look")], {"user": 0.001})
    schedule.shares([Ready("user", "t.slow")], lambda _pool: 2)
    schedule.claimed([job(action="t.slow"), job(action="t.slow")])
    assert schedule.shares([Ready("user", "t.look")], lambda _pool: 0) == []
    assert not schedule.has_room({"cpu": 0})


def test_a_quick_action_whose_job_runs_long_is_quick_no_more() -> None:
    schedule = Schedule(limit_of, {})
    serve(schedule, [Ready("user", "t.look")], {"user": 0.001})
    schedule.takes_long("t.look", 3.0)
    (share,) = schedule.shares([Ready("user", "t.look")], lambda _pool: 1)
    assert share.choices == (Choice(("t.look",), 1),)
