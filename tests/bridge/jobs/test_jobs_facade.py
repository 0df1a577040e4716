"""What doors can rely on: accepted means checked, copied and kept; refusals name files as people know them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from bridge.config import load_settings
from bridge.jobs import Jobs
from bridge.jobs.events import EventHub
from bridge.jobs.model import Published
from bridge.protocol import JobEvent, Request, parse_request
from engine.errors import NrxError
from tests.queue_kit import tiny_request, until
from tests.songs import song


@pytest.fixture
def jobs(own_home: Path) -> Iterator[Jobs]:
    """A queue whose workers have not been started: what is accepted stays queued."""
    jobs = Jobs(load_settings())
    yield jobs
    jobs.close()


@pytest.fixture
def render(tmp_path: Path) -> Path:
    path = tmp_path / "My song.wav"
    soundfile.write(path, song(bars=2), 44100, subtype="PCM_16")
    return path


def separate(path: Path, **fields: object) -> Request:
    return parse_request({"action": "separate", "inputs": [{"path": str(path)}], **fields})


def code_of(call: object) -> str:
    with pytest.raises(NrxError) as raised:
        call()  # type: ignore[operator]
    return raised.value.code


def test_accepted_job_tells_its_input_by_name_and_content(jobs: Jobs, render: Path) -> None:
    status = jobs.submit(separate(render), door="test")
    assert (status.title, status.state, status.position) == ("My song", "queued", 0)
    assert [(item.name, item.bytes) for item in status.inputs] == [("My song.wav", render.stat().st_size)]
    (snapshot,) = jobs.inputs_of(status.id)
    assert snapshot.file.path.read_bytes() == render.read_bytes()


def test_same_request_by_another_path_is_the_same_job(jobs: Jobs, render: Path, tmp_path: Path) -> None:
    first = jobs.submit(separate(render), door="test")
    copy = tmp_path / "copy.wav"
    copy.write_bytes(render.read_bytes())
    assert jobs.accept(separate(copy), door="other").status.id == first.id


@pytest.mark.parametrize("change", ["bytes", "parameters", "folder", "role"])
def test_another_request_under_the_same_key_is_a_conflict(
    jobs: Jobs, render: Path, tmp_path: Path, change: str
) -> None:
    jobs.submit(separate(render), door="test", key="k")
    out = None
    request = separate(render)
    match change:
        case "bytes":
            soundfile.write(render, song(bars=2, seed=1), 44100, subtype="PCM_16")
        case "parameters":
            request = separate(render, two_stems="vocals")
        case "folder":
            out = tmp_path / "elsewhere"
        case "role":
            request = parse_request(
                {"action": "separate", "inputs": [{"path": str(render), "role": "other"}]}
            )
    assert code_of(lambda: jobs.submit(request, door="test", key="k", out=out)) == "request.conflict"


def test_same_id_asked_again_after_the_file_went_is_the_same_job(jobs: Jobs, render: Path) -> None:
    first = jobs.submit(separate(render), door="test", job_id="mine")
    render.unlink()
    assert jobs.submit(separate(render), door="test", job_id="mine") == first


@pytest.mark.parametrize("job_id", ["", "a b", "../x", "a" * 65, "é"])
def test_id_that_could_be_a_path_is_refused(jobs: Jobs, job_id: str) -> None:
    assert code_of(lambda: jobs.submit(tiny_request(), door="test", job_id=job_id)) == "request.invalid"


def test_file_that_is_no_audio_is_refused_by_its_own_name(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("Dear Sir")
    with pytest.raises(NrxError) as raised:
        jobs.submit(separate(tmp_path / "letter.wav"), door="test")
    assert raised.value.code.startswith("input.")
    assert "letter.wav" in raised.value.sentence
    assert jobs.list().total == 0


def test_style_that_there_is_not_is_refused_before_anything_is_accepted(jobs: Jobs, render: Path) -> None:
    request = parse_request({"action": "remix", "style": "polka", "inputs": [{"path": str(render)}]})
    assert code_of(lambda: jobs.submit(request, door="test")) == "style.unknown"
    assert jobs.list().total == 0


def test_registered_input_is_named_by_path_and_not_copied_again(jobs: Jobs, render: Path) -> None:
    with render.open("rb") as stream:
        registered = jobs.register_input(stream, "Upload.wav")
    before = registered.path.stat().st_ino
    request = parse_request(
        {"action": "separate", "inputs": [{"path": str(registered.path), "name": "Upload.wav"}]}
    )
    assert jobs.submit(request, door="test").title == "Upload"
    assert registered.path.stat().st_ino == before
    assert len(list(registered.path.parent.iterdir())) == 1


def test_retry_needs_the_copy_of_the_input(jobs: Jobs, render: Path) -> None:
    status = jobs.submit(separate(render), door="test")
    jobs.cancel(status.id)
    assert jobs.retry(status.id).state == "queued"
    jobs.cancel(status.id)
    jobs.inputs_of(status.id)[0].file.path.unlink()
    assert code_of(lambda: jobs.retry(status.id)) == "input.not_found"


def test_delete_with_files_removes_only_the_return_of_that_job(jobs: Jobs, tmp_path: Path) -> None:
    made = []
    for seed in range(2):
        status = jobs.submit(tiny_request(seed), door="test")
        folder = tmp_path / f"song {seed}"
        folder.mkdir()
        claim = jobs._store.claim(1, 1.0)
        assert claim is not None
        jobs._store.succeed(claim.token, Published(folder, folder / "manifest.json"))
        made.append((status.id, folder))
    (mine, folder), (other, others_folder) = made
    (folder / "manifest.json").write_text(json.dumps({"id": mine}))
    (others_folder / "manifest.json").write_text(json.dumps({"id": "somebody else's"}))
    for job_id in (mine, other):
        jobs.delete(job_id, files=True)
        assert code_of(lambda job=job_id: jobs.get(job)) == "job.unknown"
    assert not folder.exists()
    assert others_folder.is_dir()


def test_subscriber_hears_what_happens_and_one_that_fails_disturbs_nobody(jobs: Jobs) -> None:
    heard: list[JobEvent] = []

    def fails(_event: JobEvent) -> None:
        raise ValueError("a bug of a door")

    jobs.subscribe(fails)
    stop = jobs.subscribe(heard.append)
    first = jobs.submit(tiny_request(0), door="test")
    until(lambda: heard)
    stop()
    jobs.submit(tiny_request(1), door="test")
    until(lambda: jobs.last_event_id() == 2)
    assert [(event.type, event.job.id) for event in heard] == [("accepted", first.id)]
    assert [event.id for event in jobs.events_after(heard[-1].id)] == [2]


def test_closed_hub_has_handed_on_everything() -> None:
    hub, heard = EventHub(), list[int]()
    hub.subscribe(lambda event: heard.append(event.id))
    for number in range(200):
        hub.publish([JobEvent.model_construct(id=number)])
    hub.close()
    assert heard == list(range(200))


def test_a_begun_accept_is_the_same_as_one_that_is_waited_for(jobs: Jobs) -> None:
    begun = [jobs.begin_accept(tiny_request(seed), door="test", key=f"k{seed % 2}") for seed in (0, 1, 0)]
    first, second, again = (future.result(30) for future in begun)
    assert (first.is_new, second.is_new, again.is_new) == (True, True, False)
    assert first.status.id == again.status.id != second.status.id
    refused = jobs.begin_accept(tiny_request(7), door="test", key="k1")
    assert code_of(lambda: refused.result(30)) == "request.conflict"
    assert code_of(lambda: jobs.begin_accept(tiny_request(7), door="test", key="")) == "request.invalid"
