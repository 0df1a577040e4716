"""The OSC door over real UDP on loopback: handshake, submitting, following, cancelling, and what it refuses."""

import json
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.config import Settings
from bridge.doors.osc import OscClient, OscDoor
from bridge.doors.osc import door as door_module
from bridge.doors.osc.clients import MOST_CLIENTS, Clients
from bridge.doors.osc.limits import CLIENT, STRANGER, STRANGERS, RateLimits
from bridge.doors.osc.packet import build, decode
from bridge.doors.spool import SpoolDoor
from bridge.doors.spool.intake import Intake
from bridge.protocol import PROTOCOL_VERSION
from bridge.security.roots import Roots
from engine import __version__
from engine.errors import NrxError
from tests.bridge.doors.standin_jobs import StandInJobs, wait_until

ROOT = Path(__file__).parents[4]


@pytest.fixture
def jobs() -> StandInJobs:
    return StandInJobs()


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "Müsic"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(own_home: Path, allowed: Path) -> Settings:
    return Settings(home=own_home, roots=(allowed,))


@pytest.fixture
def door(jobs: StandInJobs, settings: Settings) -> Iterator[OscDoor]:
    door = OscDoor(settings, jobs, Roots(settings), 0)  # type: ignore[arg-type]  # stands in
    door.start()
    yield door
    door.stop()


@pytest.fixture
def connect(door: OscDoor) -> Iterator[Callable[[], OscClient]]:
    clients: list[OscClient] = []

    def connect() -> OscClient:
        clients.append(OscClient(door.port))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[[], OscClient]) -> OscClient:
    client = connect()
    client.hello("test", "1.0")
    return client


@pytest.fixture
def song(allowed: Path) -> Path:
    path = allowed / "fishin.wav"
    soundfile.write(path, np.zeros((4410, 2), np.float32), 44100)
    return path


def silent(client: OscClient, for_s: float = 0.3) -> bool:
    try:
        client.receive(for_s)
    except TimeoutError:
        return True
    return False


def test_hello_is_welcomed_with_all_that_a_client_needs(client: OscClient, own_home: Path) -> None:
    (own_home / "daemon.json").write_text(json.dumps({"http": "http://127.0.0.1:39180"}))
    time.sleep(1.1)  # the URL is read once a second
    version, protocol, http, spool, instance = client.hello("live", "0.1", "device-2")
    assert (version, protocol, http) == (__version__, PROTOCOL_VERSION, "http://127.0.0.1:39180")
    assert (spool, instance) == (str(own_home / "spool"), "device-2")


def test_answers_go_to_the_port_that_hello_names(connect: Callable[[], OscClient]) -> None:
    sender, listener = connect(), connect()
    sender.send("hello", "max", "9", listener.port, "x")
    assert listener.receive()[0] == "welcome"
    sender.send("status", "nobody")
    assert listener.receive()[1][1] == "job.unknown"
    assert silent(sender)


def test_audio_becomes_a_job_of_that_id(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    client.send("submit_audio", "take-1", str(song), "jazz", 1.2, 0.7)
    assert client.receive() == ("received", ("take-1",))
    assert client.receive() == ("accepted", ("take-1",))
    request = jobs.requests["take-1"]
    assert (request.action, request.style, request.energy, request.brightness) == ("remix", "jazz", 1.2, 0.7)
    assert request.inputs[0].path == str(song.resolve())
    assert jobs.asked["take-1"]["door"] == "osc"


def test_progress_and_end_are_told_to_who_asked(
    client: OscClient, connect: Callable[[], OscClient], jobs: StandInJobs, song: Path
) -> None:
    other = connect()
    other.hello("other", "1")
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    assert client.receive() == ("progress", ("a", "queued", "", 0.0, -1.0))
    jobs.run("a", "separate", 0.5)
    assert client.receive() == ("progress", ("a", "running", "separate", 0.5, 3.0))
    jobs.succeed("a", "/returns/fishin - jazz/manifest.json")
    assert client.receive() == ("done", ("a", "/returns/fishin - jazz/manifest.json"))
    assert silent(client)
    assert silent(other, 0.05)


def test_failure_is_told_with_code_and_sentence(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    jobs.fail("a", "input.silent", "There is no sound in it.")
    assert client.wait_for("error")[1] == ("a", "input.silent", "There is no sound in it.")


def test_request_file_is_taken_without_a_rename(
    client: OscClient, jobs: StandInJobs, song: Path, own_home: Path
) -> None:
    new = own_home / "spool" / "new"
    new.mkdir(parents=True)
    request = {
        "protocol": 1,
        "action": "remix",
        "style": "edm",
        "inputs": [{"path": str(song)}],
        "priority": 3,
    }
    (new / "from-max.json").write_text(json.dumps(request))
    client.send("submit_file", str(new / "from-max.json"))
    assert client.receive() == ("received", ("from-max",))
    assert client.receive() == ("accepted", ("from-max",))
    assert jobs.asked["from-max"]["priority"] == 3
    assert not (new / "from-max.json").exists()


def test_request_file_in_the_spool_may_name_what_the_user_can_read(
    client: OscClient, own_home: Path, tmp_path: Path, song: Path
) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_bytes(song.read_bytes())
    new = own_home / "spool" / "new"
    new.mkdir(parents=True)
    request = {"protocol": 1, "action": "remix", "style": "edm", "inputs": [{"path": str(outside)}]}
    (new / "a.json").write_text(json.dumps(request))
    client.send("submit_file", str(new / "a.json"))
    client.wait_for("accepted")


def test_request_file_elsewhere_stays_and_names_only_allowed_files(
    client: OscClient, allowed: Path, tmp_path: Path, song: Path, jobs: StandInJobs
) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_bytes(song.read_bytes())
    for name, path in (("inside", song), ("outside", outside)):
        request = {"protocol": 1, "action": "remix", "style": "edm", "inputs": [{"path": str(path)}]}
        (allowed / f"{name}.json").write_text(json.dumps(request))
    client.send("submit_file", str(allowed / "outside.json"))
    assert client.wait_for("error")[1][:2] == ("outside", "request.forbidden")
    client.send("submit_file", str(allowed / "inside.json"))
    client.wait_for("accepted")
    assert list(jobs.jobs) == ["inside"]
    assert (allowed / "inside.json").exists()


def test_request_file_and_spool_door_together_make_one_job(
    client: OscClient, jobs: StandInJobs, settings: Settings, song: Path
) -> None:
    spool = SpoolDoor(settings, jobs, rescan_s=0.05)  # type: ignore[arg-type]  # stands in
    spool.start()
    try:
        request = {"protocol": 1, "action": "remix", "style": "edm", "inputs": [{"path": str(song)}]}
        (spool.new / "both.json").write_text(json.dumps(request))
        client.send("submit_file", str(spool.new / "both.json"))
        wait_until(lambda: "both" in jobs.jobs)
        jobs.succeed("both", "/m.json")
        status = spool.status / "both.json"
        wait_until(lambda: status.exists() and json.loads(status.read_bytes())["state"] == "succeeded")
        assert len(jobs.jobs) == 1
    finally:
        spool.stop()


def test_status_file_follows_a_job_that_came_over_osc(
    client: OscClient, jobs: StandInJobs, settings: Settings, song: Path
) -> None:
    spool = SpoolDoor(settings, jobs, rescan_s=0.05)  # type: ignore[arg-type]  # stands in
    spool.start()
    try:
        client.send("submit_audio", "a", str(song), "jazz")
        client.wait_for("accepted")
        status = spool.status / "a.json"
        wait_until(lambda: status.exists() and json.loads(status.read_bytes())["state"] == "queued")
    finally:
        spool.stop()


def test_file_that_the_spool_took_first_is_accepted(
    client: OscClient, jobs: StandInJobs, settings: Settings, song: Path
) -> None:
    spool = SpoolDoor(settings, jobs, rescan_s=0.05)  # type: ignore[arg-type]  # stands in
    spool.start()
    try:
        good, bad = spool.new / "first.json", spool.new / "bad.json"
        fields = {"protocol": 1, "action": "separate", "inputs": [{"path": str(song)}]}
        good.write_text(json.dumps(fields))
        bad.write_text(json.dumps({**fields, "action": "dance"}))
        wait_until(lambda: not good.exists() and not bad.exists())
        client.send("submit_file", str(good))
        assert client.receive() == ("received", ("first",))
        assert client.receive() == ("accepted", ("first",))
        assert client.wait_for("progress")[1][:2] == ("first", "queued")
        client.send("submit_file", str(bad))
        assert client.wait_for("error")[1][:2] == ("bad", "request.invalid")
        client.send("submit_file", str(spool.new / "never.json"))
        assert client.wait_for("error")[1][:2] == ("never", "input.not_found")
        assert jobs.asked["first"]["door"] == "spool"
    finally:
        spool.stop()


@pytest.mark.parametrize("action", ["separate", "dance"])
def test_doors_that_take_one_file_at_the_same_time_tell_the_same(
    settings: Settings, jobs: StandInJobs, song: Path, action: str
) -> None:
    osc, spool = (Intake(settings, jobs, door) for door in ("osc", "spool"))  # type: ignore[arg-type]  # stands in
    folder = settings.home / "spool" / "new"
    folder.mkdir(parents=True)
    osc.statuses.folder.mkdir(parents=True)
    path = folder / "twice.json"
    for _ in range(30):
        path.write_text(json.dumps({"protocol": 1, "action": action, "inputs": [{"path": str(song)}]}))
        told: list[str] = []
        ready = threading.Barrier(2)

        def take(intake: Intake, told: list[str] = told, ready: threading.Barrier = ready) -> None:
            ready.wait()
            intake.announce(path)
            try:
                told.append(intake.take(path, finished=True).id)
            except NrxError as error:
                told.append(f"{error.code}: {error.sentence}")

        threads = [threading.Thread(target=take, args=(intake,)) for intake in (osc, spool)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(told)) == 1
        status = osc.statuses.read("twice")
        if action == "dance":
            assert told[0].startswith("request.invalid")
            assert status is not None
            assert status.state == "failed"
        else:
            assert told[0] == "twice"
        jobs.jobs.clear()
        jobs.requests.clear()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("bad id!.json", "{}", "request.invalid"),
        ("no-suffix", "{}", "request.invalid"),
        ("broken.json", "{", "request.invalid"),
        ("missing.json", None, "input.not_found"),
        ("future.json", '{"protocol": 9}', "request.invalid"),
    ],
)
def test_bad_request_file_is_answered(
    client: OscClient, allowed: Path, name: str, content: str | None, code: str
) -> None:
    if content is not None:
        (allowed / name).write_text(content)
    client.send("submit_file", str(allowed / name))
    assert client.wait_for("error")[1][1] == code


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "relative.wav", "", "//server/share/a.wav", "\\\\server\\share\\a.wav", "a\x01.wav"],
)
def test_paths_outside_the_roots_are_refused(client: OscClient, jobs: StandInJobs, path: str) -> None:
    client.send("submit_audio", "a", path, "jazz")
    assert client.wait_for("error")[1][:2] == ("a", "request.forbidden")
    assert not jobs.jobs


def test_escapes_from_the_roots_are_refused(
    client: OscClient, jobs: StandInJobs, allowed: Path, tmp_path: Path, song: Path
) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_bytes(song.read_bytes())
    (allowed / "link.wav").symlink_to(outside)
    for path in (f"{allowed}/../outside.wav", allowed / "link.wav", f"{tmp_path}/Müsic-other/a.wav"):
        client.send("submit_audio", "a", str(path), "jazz")
        assert client.wait_for("error")[1][:2] == ("a", "request.forbidden")
    assert not jobs.jobs


def test_refused_requests_leave_no_files(client: OscClient, own_home: Path, settings: Settings) -> None:
    new = own_home / "spool" / "new"
    for number in range(20):
        client.send("submit_audio", f"a{number}", "/no/such.wav", "jazz")
        client.send("submit_file", str(new / f"b{number}.json"))
        client.wait_for("error")
        client.wait_for("error")
    assert not list(own_home.rglob("*.json"))


def test_same_request_again_is_the_same_job(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    for _ in range(2):
        client.send("submit_audio", "a", str(song), "jazz")
        client.wait_for("accepted")
    client.send("submit_audio", "a", str(song), "edm")
    assert client.wait_for("error")[1][:2] == ("a", "request.conflict")
    assert list(jobs.jobs) == ["a"]


def test_cancel_ends_a_job(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    client.send("cancel", "a")
    assert client.wait_for("error")[1] == ("a", "cancelled", "The job was cancelled.")


def test_cancel_of_a_request_that_is_being_accepted_waits_for_it(
    client: OscClient, jobs: StandInJobs, song: Path
) -> None:
    jobs.slow.clear()
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("received")
    client.send("cancel", "a")
    time.sleep(0.1)
    jobs.slow.set()
    assert client.wait_for("error")[1][:2] == ("a", "cancelled")


def test_cancel_holds_though_a_second_copy_of_the_request_is_refused(
    client: OscClient, jobs: StandInJobs, song: Path
) -> None:
    jobs.slow.clear()
    for style in ("jazz", "a style that is not there"):
        client.send("submit_audio", "a", str(song), style)
        client.wait_for("received")
    client.send("cancel", "a")
    time.sleep(0.1)
    jobs.slow.set()
    wait_until(lambda: "a" in jobs.jobs and jobs.jobs["a"].state == "cancelled")


def test_end_is_told_to_a_late_asker_whatever_comes_first(
    client: OscClient,
    connect: Callable[[], OscClient],
    jobs: StandInJobs,
    song: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The job ends after its state was read for the answer, and before the asker follows it."""
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    jobs.run("a", "separate", 0.5)
    late = connect()
    late.hello("late", "1.0")
    follow = Clients.follow

    def ends_first(self: Clients, *told: Any) -> None:
        jobs.succeed("a", "/returns/a/manifest.json")
        follow(self, *told)

    monkeypatch.setattr(Clients, "follow", ends_first)
    late.send("status", "a")
    assert late.receive() == ("done", ("a", "/returns/a/manifest.json"))
    assert silent(late)


def test_jobs_of_other_doors_are_out_of_reach(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    from bridge.protocol import parse_request

    request = parse_request({"action": "remix", "style": "edm", "inputs": [{"path": str(song)}]})
    jobs.submit(request, door="http", job_id="theirs")
    for name in ("cancel", "status"):
        client.send(name, "theirs")
        assert client.wait_for("error")[1][:2] == ("theirs", "job.unknown")
    assert jobs.jobs["theirs"].state == "queued"


def test_status_follows_a_job_after_a_restart_of_the_client(
    client: OscClient, connect: Callable[[], OscClient], jobs: StandInJobs, song: Path
) -> None:
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    again = connect()
    again.hello("test", "1.0")
    again.send("status", "a")
    assert again.receive()[0] == "progress"
    jobs.succeed("a", "/m.json")
    assert again.wait_for("done")[1] == ("a", "/m.json")
    again.send("status", "a")
    assert again.receive() == ("done", ("a", "/m.json"))


def test_styles_are_listed(client: OscClient) -> None:
    client.send("styles")
    first = client.wait_for("style")[1]
    rest = [client.wait_for("style")[1] for _ in range(int(first[1]) - 1)]
    ids = [style[2] for style in (first, *rest)]
    assert "lofi_chill" in ids
    assert [style[0] for style in (first, *rest)] == list(range(len(ids)))


def test_wake_message_follows_the_end(
    client: OscClient, connect: Callable[[], OscClient], jobs: StandInJobs, song: Path
) -> None:
    daw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daw.bind(("127.0.0.1", 0))
    daw.settimeout(60)
    client.send("wake", daw.getsockname()[1], "/access_action", "LuaAction/script-1")
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")
    jobs.succeed("a", "/m.json")
    client.wait_for("done")
    assert decode(daw.recv(2000)) == [("/access_action", ["LuaAction/script-1"])]
    daw.close()


@pytest.mark.parametrize(
    "values",
    [(80, "/action", ""), (8000, "action", ""), (8000, "/a b", ""), (8000, "/a", "x\ny"), (70000, "/a")],
)
def test_wake_messages_that_are_none_are_refused(client: OscClient, values: tuple[Any, ...]) -> None:
    client.send("wake", *values)
    assert client.wait_for("error")[1][1] == "request.invalid"


def test_stranger_is_answered_no_longer_than_asked(connect: Callable[[], OscClient], song: Path) -> None:
    stranger = connect()
    stranger.send("styles")
    stranger.send_raw(build("/nrx/x", []))
    stranger.send("status", "nobody")
    stranger._socket.settimeout(0.5)
    answered = []
    try:
        while True:
            answered.append(len(stranger._socket.recv(9000)))
    except TimeoutError:
        pass
    assert sum(answered) <= len(build("/nrx/status", ["nobody"]))


def test_stranger_may_submit_and_hears_that_it_arrived(
    connect: Callable[[], OscClient], jobs: StandInJobs, song: Path
) -> None:
    stranger = connect()
    stranger.send("submit_audio", "a", str(song), "jazz")
    assert stranger.receive() == ("received", ("a",))
    assert stranger.receive() == ("accepted", ("a",))
    jobs.run("a", "mix", 0.5)
    assert silent(stranger)


def test_slow_submit_delays_no_other_answer(client: OscClient, jobs: StandInJobs, song: Path) -> None:
    jobs.slow.clear()
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("received")
    for number in range(20):
        client.send("submit_audio", f"b{number}", str(song), "jazz")
        assert client.receive() == ("received", (f"b{number}",))
    client.send("status", "nobody")
    assert client.receive()[0] == "error"
    jobs.slow.set()
    jobs.wait_for(21)


def test_more_than_can_wait_is_refused_with_a_reason(
    client: OscClient, jobs: StandInJobs, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.slow.clear()
    for number in range(door_module.MOST_WAITING + 5):
        client.send("submit_audio", f"b{number}", str(song), "jazz")
    told = client.wait_for("error")[1]
    assert told[1] == "request.too_many"
    jobs.slow.set()


def test_error_inside_is_an_answer(
    client: OscClient, jobs: StandInJobs, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "submit", broken)
    client.send("submit_audio", "a", str(song), "jazz")
    assert client.wait_for("error")[1][:2] == ("a", "internal")
    monkeypatch.undo()
    client.send("submit_audio", "b", str(song), "jazz")
    client.wait_for("accepted")


def test_garbage_ends_nothing(door: OscDoor, client: OscClient) -> None:
    for data in (b"", b"\0", b"/", b"#bundle\0", b"\xff" * 9000, b"/nrx/hello\0\0,i\0\0\0\0"):
        client.send_raw(data)
    client.hello("still", "here")
    assert door.malformed >= 5


def test_flood_from_strangers_leaves_clients_their_share(
    door: OscDoor, client: OscClient, song: Path
) -> None:
    for number in range(3000):
        door.handle(build("/nrx/status", ["x"]), ("127.0.0.1", 2000 + number % 500))
    assert door.dropped >= 3000 - STRANGERS.burst - STRANGERS.per_s * 5
    client.send("submit_audio", "a", str(song), "jazz")
    client.wait_for("accepted")


def test_others_than_loopback_are_not_heard(door: OscDoor, jobs: StandInJobs, song: Path) -> None:
    door.handle(build("/nrx/submit", ["a", str(song), "jazz"]), ("192.168.1.7", 40000))
    assert door.dropped == 1
    assert door._socket is not None
    assert door._socket.getsockname()[0] == "127.0.0.1"


def test_rate_recovers_and_sources_are_forgotten() -> None:
    limits = RateLimits(0.0)
    source = ("127.0.0.1", 5000)
    passed = sum(limits.allows(source, False, 0.0) for _ in range(1000))
    assert passed == STRANGER.burst
    assert limits.allows(source, False, 1.0)
    for port in range(100_000):
        limits.allows(("127.0.0.1", port), False, 2.0)
    assert len(limits._sources) <= 256
    assert sum(limits.allows(source, True, 3.0) for _ in range(5000)) == CLIENT.burst


def test_clients_that_follow_a_job_are_not_pushed_out() -> None:
    clients = Clients()
    busy = clients.hello("busy", ("127.0.0.1", 1024), ("127.0.0.1", 1024))
    assert busy is not None
    clients.follow(busy, "job")
    for port in range(2000, 2000 + 3 * MOST_CLIENTS):
        assert clients.hello("idle", ("127.0.0.1", port), ("127.0.0.1", port)) is not None
    assert clients.of(("127.0.0.1", 1024)) is busy
    assert clients.followers("job") == [busy]


def test_client_that_moves_keeps_its_jobs() -> None:
    clients = Clients()
    old = clients.hello("max", ("127.0.0.1", 1111), ("127.0.0.1", 39200))
    assert old is not None
    clients.follow(old, "job")
    new = clients.hello("max", ("127.0.0.1", 2222), ("127.0.0.1", 39200))
    assert clients.followers("job") == [new]
    assert clients.of(("127.0.0.1", 1111)) is None


def test_taken_port_gives_the_next(door: OscDoor, jobs: StandInJobs, settings: Settings) -> None:
    second = OscDoor(settings, jobs, Roots(settings), door.port)  # type: ignore[arg-type]  # stands in
    second.start()
    try:
        assert door.port < second.port < door.port + 10
    finally:
        second.stop()


def test_ten_taken_ports_are_told(
    jobs: StandInJobs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "PORTS_TRIED", 1)
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    blocked = OscDoor(settings, jobs, Roots(settings), taken.getsockname()[1])  # type: ignore[arg-type]
    with pytest.raises(NrxError, match="all taken") as told:
        blocked.start()
    assert told.value.code == "daemon.address"
    taken.close()


def test_stopping_twice_and_starting_again_is_fine(door: OscDoor, connect: Callable[[], OscClient]) -> None:
    door.stop()
    door.stop()
    door.start()
    door.start()
    again = OscClient(door.port)
    again.hello("again", "1")
    again.close()
    assert sum(thread.name.startswith("nrx-osc") for thread in threading.enumerate()) == 3


def test_ten_lines_of_the_page_hear_the_whole_way(
    door: OscDoor, jobs: StandInJobs, song: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "osc.md").read_text("utf-8")
    lines = textwrap.dedent(page.split("```python\n")[1].split("```")[0])
    assert len(lines.strip().splitlines()) <= 12
    script = lines.replace("39100", str(door.port)).replace("/home/me/Music/Renders/fishin.ogg", str(song))
    script = script.replace("print(address, *values)", "print(address, *values, flush=True)")
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as run:
        try:
            jobs.wait_for(1)
            time.sleep(0.2)
            jobs.succeed("take-1", "/m.json")
            heard = []
            assert run.stdout is not None
            while not heard or not heard[-1].startswith("/nrx/done"):
                heard.append(run.stdout.readline())
        finally:
            run.kill()
    assert [line.split()[0] for line in heard[:3]] == ["/nrx/welcome", "/nrx/received", "/nrx/accepted"]
    assert heard[-1] == "/nrx/done take-1 /m.json\n"
