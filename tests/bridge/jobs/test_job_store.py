"""The store keeps what it accepts, hands each job to one holder at a time, and believes only the holder's token."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config import JobsSettings
from bridge.jobs import database
from bridge.jobs.identity import body_of, fingerprint_of
from bridge.jobs.model import Claim, NewJob, Published
from bridge.jobs.store import JobStore, LeaseLost
from bridge.protocol import JobEvent
from engine.errors import Cancelled, NrxError
from tests.queue_kit import tiny_request

PID, STARTED = 4711, 1.0


@pytest.fixture
def told() -> list[JobEvent]:
    return []


@pytest.fixture
def store(tmp_path: Path, told: list[JobEvent]) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "jobs.db", JobsSettings(attempts=3), told.extend)
    yield store
    store.close()


def new(job_id: str, *, seed: int = 0, key: str | None = None, priority: int = 0) -> NewJob:
    request = tiny_request(seed)
    body = body_of(request, (), Path("out"))
    return NewJob(
        id=job_id,
        client_key=key,
        body=body,
        fingerprint=fingerprint_of(body),
        request=request,
        snapshots=(),
        parent=Path("out"),
        title=f"bass {seed}",
        door="test",
        priority=priority,
        length_s=3.0,
    )


def add(store: JobStore, *ids: str) -> None:
    for seed, job_id in enumerate(ids):
        store.accept(new(job_id, seed=seed))


def take(store: JobStore) -> Claim:
    claim = store.claim(PID, STARTED)
    assert claim is not None
    return claim


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(NrxError) as raised:
        call()
    return raised.value.code


def test_accepted_job_is_on_the_disk_before_accept_returns(store: JobStore, tmp_path: Path) -> None:
    store.accept(new("a"))
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        assert other.execute("SELECT id, state FROM jobs").fetchall() == [("a", "queued")]
        assert other.execute("SELECT type FROM events").fetchall() == [("accepted",)]
    other.close()


def test_accepts_wait_for_the_disk_and_progress_does_not(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    inner = store._writer._sync

    def spy(connection: object, *, durable: bool) -> None:
        asked.append(durable)
        inner(connection, durable=durable)  # type: ignore[arg-type]

    monkeypatch.setattr(store._writer, "_sync", spy)
    add(store, "a")
    store.beat(take(store).token, "mix", 0.5).result()
    assert asked == [True, True, False]


def test_same_id_with_the_same_request_is_the_same_job(store: JobStore) -> None:
    first = store.accept(new("a", key="id:a"))
    again = store.accept(new("a", key="id:a"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.status.id == "a"
    assert store.page().total == 1


@pytest.mark.parametrize(("job_id", "key"), [("a", "id:a"), ("b", "key:k")])
def test_same_id_or_key_with_another_request_is_a_conflict(store: JobStore, job_id: str, key: str) -> None:
    store.accept(new("a", key="key:k"))
    assert code_of(lambda: store.accept(new(job_id, seed=1, key=key))) == "request.conflict"
    assert store.page().total == 1


def test_id_of_one_job_with_the_key_of_another_is_a_conflict(store: JobStore) -> None:
    store.accept(new("a", seed=0, key="ka"))
    store.accept(new("b", seed=0, key="kb"))
    assert code_of(lambda: store.accept(new("a", seed=0, key="kb"))) == "request.conflict"


def test_same_content_without_a_key_is_the_job_that_is_on_its_way(store: JobStore) -> None:
    store.accept(new("a"))
    assert store.accept(new("b")).status.id == "a"
    take(store)
    assert store.accept(new("c")).status.id == "a"


def test_same_content_is_done_again_once_its_return_is_gone(store: JobStore, tmp_path: Path) -> None:
    store.accept(new("a"))
    manifest = tmp_path / "song" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    store.succeed(take(store).token, Published(manifest.parent, manifest))
    assert store.accept(new("b")).status.id == "a"
    manifest.unlink()
    assert store.accept(new("c")).status.id == "c"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_failed_and_cancelled_jobs_do_not_stand_in_the_way(store: JobStore, end: str) -> None:
    store.accept(new("a"))
    if end == "failed":
        store.fail(take(store).token, NrxError("input.silent", "Nothing to hear."))
    else:
        store.cancel("a")
    assert store.accept(new("b")).is_new


def test_job_that_is_being_cancelled_is_no_answer_to_a_new_request(store: JobStore) -> None:
    store.accept(new("a"))
    take(store)
    store.cancel("a")
    assert store.accept(new("b")).is_new


def test_higher_priority_runs_first_then_the_older_one(store: JobStore) -> None:
    for seed, (job_id, priority) in enumerate([("a", 0), ("b", 5), ("c", 0), ("d", 5)]):
        store.accept(new(job_id, seed=seed, priority=priority))
    store.set_priority("c", 9)
    assert [take(store).job_id for _ in range(4)] == ["c", "b", "d", "a"]
    assert store.claim(PID, STARTED) is None


def test_position_counts_the_jobs_that_run_before(store: JobStore) -> None:
    for seed, (job_id, priority) in enumerate([("a", 0), ("b", 5), ("c", 0)]):
        store.accept(new(job_id, seed=seed, priority=priority))
    assert {job.id: job.position for job in store.page().jobs} == {"b": 0, "a": 1, "c": 2}
    assert [store.get(job_id).position for job_id in "abc"] == [1, 0, 2]


def test_a_job_is_claimed_once(store: JobStore) -> None:
    add(store, "a")
    assert take(store).job_id == "a"
    assert store.claim(PID, STARTED) is None


STALE_WORDS: dict[str, Callable[[JobStore, str], object]] = {
    "beat": lambda store, token: store.beat(token, "mix", 0.9).result(),
    "renew": lambda store, token: store.renew(token).result(),
    "stage_in": lambda store, token: store.stage_in(token, Path("staging")),
    "publish_at": lambda store, token: store.publish_at(token, Path("target")),
    "succeed": lambda store, token: store.succeed(token, Published(Path("x"), Path("x/manifest.json"))),
    "fail": lambda store, token: store.fail(token, NrxError("internal", "No.")),
    "crashed": lambda store, token: store.crashed(token, "ended"),
    "starved": lambda store, token: store.starved(token, "no memory"),
    "lapsed": lambda store, token: store.lapsed(token),
    "give_back": lambda store, token: store.give_back(token),
    "cancelled": lambda store, token: store.cancelled(token),
    "interrupt": lambda store, token: store.interrupt(token, "The daemon ended"),
}


@pytest.mark.parametrize("word", STALE_WORDS)
def test_stale_token_writes_nothing(store: JobStore, tmp_path: Path, word: str) -> None:
    add(store, "a")
    stale = take(store).token
    store.lapsed(stale)
    take(store)

    def rows() -> list[object]:
        with sqlite3.connect(tmp_path / "jobs.db") as other:
            found = (
                other.execute("SELECT * FROM jobs").fetchall()
                + other.execute("SELECT * FROM events").fetchall()
            )
        other.close()
        return found

    before = rows()
    with pytest.raises(LeaseLost):
        STALE_WORDS[word](store, stale)
    assert rows() == before


def test_progress_never_goes_back_and_a_beat_renews_the_lease(store: JobStore, tmp_path: Path) -> None:
    add(store, "a")
    token = take(store).token
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        first = other.execute("SELECT lease_until FROM jobs").fetchone()[0]
        store.beat(token, "mix", 0.6).result()
        store.beat(token, "mix", 0.4).result()
        assert store.get("a").fraction == 0.6
        assert other.execute("SELECT lease_until FROM jobs").fetchone()[0] > first
    other.close()


def test_another_attempt_begins_at_zero_and_says_why(store: JobStore) -> None:
    add(store, "a")
    token = take(store).token
    store.beat(token, "mix", 0.6).result()
    status = store.lapsed(token)
    assert (status.state, status.fraction, status.stage, status.attempt) == ("queued", 0.0, None, 1)
    assert "no sign of life" in status.notes[0]


def test_attempts_are_limited_and_the_reason_is_told(store: JobStore) -> None:
    add(store, "a")
    for _ in range(2):
        assert store.lapsed(take(store).token).state == "queued"
    status = store.lapsed(take(store).token)
    assert status.state == "failed"
    assert status.error is not None
    assert status.error.code == "job.attempts"
    assert "no sign of life" in status.error.sentence


def test_job_that_ends_its_process_twice_is_not_tried_again(store: JobStore) -> None:
    add(store, "a")
    assert store.crashed(take(store).token, "was ended by SIGSEGV").state == "queued"
    status = store.crashed(take(store).token, "was ended by SIGSEGV")
    assert status.error is not None
    assert (status.state, status.error.code) == ("failed", "job.crashed")
    assert "SIGSEGV" in status.error.sentence


def test_job_without_memory_gets_thriftier_then_fails_with_its_own_code(store: JobStore) -> None:
    add(store, "a")
    steps = []
    for _ in range(2):
        claim = take(store)
        steps.append(claim.thrift)
        assert store.starved(claim.token, "no memory").state == "queued"
    claim = take(store)
    assert [*steps, claim.thrift] == [0, 1, 2]
    assert len(claim.notes) == 2
    status = store.starved(claim.token, "no memory")
    assert status.error is not None
    assert status.error.code == "job.memory"


@pytest.mark.parametrize(
    "code", ["input.silent", "request.invalid", "style.unknown", "output.disk_full", "backend.missing"]
)
def test_what_will_not_change_is_never_tried_again(store: JobStore, code: str) -> None:
    add(store, "a")
    status = store.fail(take(store).token, NrxError(code, "Because."))
    assert (status.state, status.attempt) == ("failed", 1)
    assert status.error is not None
    assert (status.error.code, status.error.sentence) == (code, "Because.")


def test_error_of_our_own_is_tried_again_as_often_as_allowed(store: JobStore) -> None:
    add(store, "a")
    states = [store.fail(take(store).token, NrxError("internal", "A bug.")).state for _ in range(3)]
    assert states == ["queued", "queued", "failed"]


def test_end_of_the_daemon_counts_no_attempt_and_later_sends_to_the_back(store: JobStore) -> None:
    add(store, "a", "b")
    for _ in range(2):
        claim = take(store)
        assert claim.job_id == "a"
        assert store.interrupt(claim.token, "The daemon ended").attempt == 0
    store.interrupt(take(store).token, "The daemon ended")
    assert [take(store).job_id for _ in range(2)] == ["b", "a"]


def test_interruptions_have_an_end(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.jobs.store.leases.MOST_INTERRUPTIONS", 4)
    add(store, "a")
    for _ in range(3):
        assert store.interrupt(take(store).token, "The daemon ended").state == "queued"
    status = store.interrupt(take(store).token, "The daemon ended")
    assert status.error is not None
    assert status.error.code == "job.attempts"


def test_job_given_back_counts_no_attempt(store: JobStore) -> None:
    add(store, "a")
    assert store.give_back(take(store).token).attempt == 0
    assert take(store).attempt == 1


def test_queued_job_is_cancelled_at_once(store: JobStore) -> None:
    add(store, "a")
    status, token = store.cancel("a")
    assert (status.state, token) == ("cancelled", None)
    assert store.claim(PID, STARTED) is None


AFTER_CANCEL: dict[str, Callable[[JobStore, str], object]] = {
    name: say
    for name, say in STALE_WORDS.items()
    if name in ("fail", "crashed", "starved", "lapsed", "give_back", "interrupt")
}


@pytest.mark.parametrize("word", AFTER_CANCEL)
def test_job_that_is_being_cancelled_ends_as_cancelled(store: JobStore, word: str) -> None:
    add(store, "a")
    token = take(store).token
    assert store.cancel("a")[1] == token
    AFTER_CANCEL[word](store, token)
    assert store.get("a").state == "cancelled"


@pytest.mark.parametrize("word", ["stage_in", "publish_at", "succeed"])
def test_cancelled_job_never_becomes_succeeded(store: JobStore, word: str) -> None:
    add(store, "a")
    token = take(store).token
    status, _ = store.cancel("a")
    assert (status.state, status.cancelling) == ("running", True)
    with pytest.raises(Cancelled):
        STALE_WORDS[word](store, token)
    assert store.cancelled(token).state == "cancelled"


def test_cancelling_twice_is_no_error_and_cancelling_what_has_ended_is(store: JobStore) -> None:
    add(store, "a", "b")
    store.cancel("a")
    assert store.cancel("a")[0].state == "cancelled"
    store.fail(take(store).token, NrxError("input.silent", "Nothing."))
    assert code_of(lambda: store.cancel("b")) == "job.state"


def test_retry_makes_a_failed_job_new(store: JobStore) -> None:
    add(store, "a", "b")
    store.fail(take(store).token, NrxError("input.silent", "Nothing."))
    status = store.retry("a")
    assert (status.state, status.attempt, status.error, status.notes) == ("queued", 0, None, ())
    assert code_of(lambda: store.retry("b")) == "job.state"
    assert [take(store).job_id for _ in range(2)] == ["b", "a"]


def test_deleted_job_is_forgotten_and_a_running_one_is_not_deleted(
    store: JobStore, told: list[JobEvent]
) -> None:
    add(store, "a", "b")
    take(store)
    assert code_of(lambda: store.delete("a")) == "job.state"
    store.delete("b")
    assert code_of(lambda: store.get("b")) == "job.unknown"
    assert told[-1].type == "deleted"
    assert [event.type for event in store.events_after(0, 100) if event.job.id == "b"] == ["deleted"]


def test_paused_queue_gives_no_job_also_after_a_restart(store: JobStore, tmp_path: Path) -> None:
    add(store, "a")
    store.set_paused(paused=True)
    assert store.claim(PID, STARTED) is None
    other = JobStore(tmp_path / "jobs.db", JobsSettings())
    assert other.paused
    other.close()
    store.set_paused(paused=False)
    assert take(store).job_id == "a"


def test_pages_hold_every_job_once_newest_first(store: JobStore) -> None:
    add(store, *(f"j{index:02}" for index in range(25)))
    seen: list[str] = []
    before: str | None = None
    while True:
        page = store.page(limit=10, before=before)
        assert (page.total, page.counts["queued"]) == (25, 25)
        seen += [job.id for job in page.jobs]
        before = page.next
        if before is None:
            break
    assert seen == [f"j{index:02}" for index in reversed(range(25))]


def test_pages_are_filtered_by_state_and_by_all_words(store: JobStore) -> None:
    add(store, "a", "b", "c")
    take(store)
    assert [job.id for job in store.page(state="queued").jobs] == ["c", "b"]
    assert [job.id for job in store.page(search="BASS 2").jobs] == ["c"]
    assert store.page(search="bass 50%_").total == 0
    assert code_of(lambda: store.page(state="lost")) == "request.invalid"
    assert code_of(lambda: store.page(before="x")) == "request.invalid"


def test_events_tell_the_life_of_a_job_in_order_to_those_who_listen_and_those_who_come_later(
    store: JobStore, told: list[JobEvent]
) -> None:
    add(store, "a")
    token = take(store).token
    store.beat(token, "mix", 0.5).result()
    store.succeed(token, Published(Path("x"), Path("x/manifest.json")))
    assert [event.type for event in told] == ["accepted", "running", "progress", "succeeded"]
    later = store.events_after(0, 100)
    assert [event.model_dump() for event in later] == [event.model_dump() for event in told]
    assert store.events_after(later[1].id, 1) == (later[2],)
    assert store.last_event_id() == later[-1].id


def test_old_progress_is_forgotten_before_old_endings(store: JobStore) -> None:
    add(store, "a")
    token = take(store).token
    for step in range(10):
        store.beat(token, "mix", step / 10 + 0.05).result()
    store.fail(token, NrxError("input.silent", "Nothing."))
    store.prune_events(keep=100, keep_progress=3)
    assert [event.type for event in store.events_after(0, 100)] == [
        "accepted",
        "running",
        "progress",
        "progress",
        "failed",
    ]
    last = store.last_event_id()
    store.prune_events(keep=1, keep_progress=1)
    assert [event.id for event in store.events_after(0, 100)] == [last]


def test_holders_tell_what_a_daemon_left_running(store: JobStore) -> None:
    add(store, "a")
    token = take(store).token
    store.stage_in(token, Path("out/staging"))
    store.publish_at(token, Path("out/song"))
    (holder,) = store.holders()
    assert (holder.token, holder.worker_pid, holder.worker_started) == (token, PID, STARTED)
    assert (holder.staging, holder.target) == (Path("out/staging"), Path("out/song"))


def test_time_left_comes_from_past_jobs_and_then_from_the_run_itself(store: JobStore, tmp_path: Path) -> None:
    add(store, "a", "b")
    store.succeed(take(store).token, Published(Path("x"), Path("x/manifest.json")))
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        other.execute("UPDATE jobs SET started_at = finished_at - 30 WHERE id = 'a'")
    other.close()
    store._paces.clear()
    token = take(store).token
    assert store.get("b").left_s == pytest.approx(30, abs=1)
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        other.execute("UPDATE jobs SET started_at = started_at - 50 WHERE id = 'b'")
    other.close()
    store.beat(token, "mix", 0.5).result()
    assert store.get("b").left_s == pytest.approx(50, abs=1)


def test_store_on_a_network_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_on_network", lambda _folder: True)
    assert code_of(lambda: JobStore(tmp_path / "jobs.db", JobsSettings())) == "store.network"


def test_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    JobStore(tmp_path / "jobs.db", JobsSettings()).close()
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        other.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    other.close()
    assert code_of(lambda: JobStore(tmp_path / "jobs.db", JobsSettings())) == "internal"


def test_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"this is no database at all" * 100)
    assert code_of(lambda: JobStore(tmp_path / "jobs.db", JobsSettings())) == "output.not_writable"


def test_request_comes_back_as_it_was_given(store: JobStore) -> None:
    add(store, "a")
    assert store.request_of("a") == tiny_request(0)
    assert json.loads(store.get("a").model_dump_json())["title"] == "bass 0"


def most_pages(store: JobStore, count: int) -> None:
    store._writer.write(
        lambda batch: batch.connection.exec_driver_sql(f"PRAGMA max_page_count = {count}").scalar()
    )


def test_full_disk_is_told_in_words_and_what_was_accepted_stands(store: JobStore) -> None:
    add(store, "a")
    most_pages(store, 1)
    big = new("b", seed=1)
    big = replace(big, title="x" * 1_000_000)
    assert code_of(lambda: store.accept(big)) == "output.disk_full"
    most_pages(store, 1_000_000)
    assert store.accept(big).is_new
    assert store.page().total == 2


def test_an_answer_tells_the_place_that_the_queue_tells(store: JobStore) -> None:
    def placed(job_id: str, seed: int, priority: int = 0) -> int | None:
        told = store.accept(new(job_id, seed=seed, priority=priority)).status.position
        assert told == store.get(job_id).position
        return told

    assert [placed("a", 1), placed("b", 2), placed("c", 3, priority=5), placed("d", 4)] == [0, 1, 0, 3]
    store.set_priority("b", 9)
    assert [placed("e", 5), placed("f", 6, priority=5)] == [4, 2]
    store.cancel("a")
    assert placed("g", 7) == 5
    take(store)
    assert placed("h", 8) == 5
    store.delete("a")
    assert placed("i", 9) == 6
