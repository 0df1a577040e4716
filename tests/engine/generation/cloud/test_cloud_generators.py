"""Cloud services behind the generators' protocol, asked as they document it, and failing in all the ways they do."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from engine.backends import Backends
from engine.errors import Cancelled, NrxError
from engine.generation.cloud import wire
from engine.generation.melody import Melody
from engine.generation.musicgen.chroma import RATE, frames_for
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Generator, Wish
from engine.generation.registry import generator_of
from engine.models import ModelStore
from engine.models.cloud import SERVICES, CloudAccess
from engine.progress import Monitor
from tests.engine.generation.cloud.cloud_services import KEY, Service, serving, wav

WISH = Wish("dark techno, 128 bpm", 2.0)
SERVICE_NAMES = sorted(SERVICES)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(wire, "LONGEST_WAIT_S", 0.05)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service(sound=wav(2.5))) as running:
        yield running


def access(service: Service, **changed: Any) -> CloudAccess:
    fields: dict[str, Any] = {
        "allowed": True,
        "keys": dict.fromkeys(SERVICES, KEY),
        "urls": {"huggingface": f"{service.url}/models/{{model}}", "replicate": f"{service.url}/v1"},
        "patience_s": 20.0,
    }
    return CloudAccess(**{**fields, **changed})


def generator(service: Service, name: str, **changed: Any) -> Generator:
    backends = Backends(ModelStore(Path("nowhere")), generate=name, cloud=access(service, **changed))
    return generator_of(backends.generator(), backends)


def melody() -> Melody:
    at_s = np.arange(2 * RATE) / RATE
    pitch_hz = np.where(at_s < 1.0, 261.63, 392.0)
    return Melody((0.3 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE)).astype(np.float32))


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_take_comes_back_as_long_as_its_wish(service: Service, name: str) -> None:
    player = generator(service, name)
    heard: list[float] = []
    (take,) = player.takes([WISH], Sampling(seed=3), Monitor(heard.append))
    assert (take.channels, take.sample_rate, take.frames) == (1, 32000, 64000)
    assert np.abs(take.samples).max() == pytest.approx(0.2, abs=0.01)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert player.device == "cloud (127.0.0.1)"


def test_hugging_face_is_asked_as_documented(service: Service) -> None:
    sampling = Sampling(temperature=0.8, top_k=100, top_p=0.9)
    generator(service, "huggingface:facebook/musicgen-large").takes([WISH], sampling)
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/models/facebook/musicgen-large")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["x-use-cache"] == "false"
    drawn = {"do_sample": True, "max_new_tokens": 100, "temperature": 0.8, "top_k": 100, "top_p": 0.9}
    assert asked.said == {"inputs": WISH.prompt, "parameters": {"generation_parameters": drawn}}


def test_replicate_is_asked_as_documented(service: Service) -> None:
    generator(service, "replicate").takes([Wish("a", 2.4)], Sampling(seed=0, guidance=3.4))
    assert service.paths() == [
        "POST /v1/predictions", "GET /v1/predictions/p1", "GET /v1/predictions/p1", "GET /out.wav",
    ]  # fmt: skip
    created = service.asked[0]
    assert created.headers["cancel-after"] == "20s"
    assert created.said["version"] == SERVICES["replicate"].revision
    assert created.said["input"] == {
        "prompt": "a", "duration": 3, "model_version": "stereo-large", "temperature": 1.0, "top_k": 250,
        "top_p": 0.0, "classifier_free_guidance": 3, "seed": 1, "normalization_strategy": "peak",
        "output_format": "wav",
    }  # fmt: skip


def test_several_takes_have_seeds_in_a_row(service: Service) -> None:
    takes = generator(service, "replicate").takes([WISH] * 3, Sampling(seed=4))
    created = [asked.said["input"]["seed"] for asked in service.asked if asked.path == "/v1/predictions"]
    assert len(takes) == 3
    assert created == [5, 6, 7]


def test_of_a_song_only_a_sketch_of_its_melody_is_sent_and_it_is_deleted_afterwards(
    service: Service, tmp_path: Path
) -> None:
    sung = melody()
    generator(service, "replicate").takes([Wish("a", 2.0, sung)], Sampling())
    assert (service.paths()[0], service.paths()[-1]) == ("POST /v1/files", "DELETE /v1/files/f1")
    created = next(asked for asked in service.asked if asked.path == "/v1/predictions")
    assert created.said["input"]["input_audio"] == f"{service.url}/v1/files/f1"
    assert created.said["input"]["model_version"] == "stereo-melody-large"
    body = service.asked[0].body
    (tmp_path / "sent.flac").write_bytes(body[body.index(b"fLaC") : body.rindex(b"\r\n--")])
    samples, rate = sf.read(tmp_path / "sent.flac", dtype="float32")
    assert rate == RATE
    heard = Melody(samples).chroma(0.0, frames_for(2.0))
    assert np.mean(heard.argmax(1) == sung.chroma(0.0, frames_for(2.0)).argmax(1)) > 0.9
    assert abs(np.corrcoef(samples, sung.mono)[0, 1]) < 0.5  # it is not the recording


BUSY = [
    (429, {"Retry-After": "0"}, b'{"detail": "Request was throttled. Expected available in 1 second."}'),
    (503, {}, b'{"error": "Model is currently loading", "estimated_time": 0.02}'),
    (500, {}, b"<html>"),
    (502, {}, b""),
]


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_busy_service_is_waited_for(service: Service, name: str) -> None:
    service.failures = list(BUSY)
    (take,) = generator(service, name).takes([WISH], Sampling())
    assert take.frames == 64000
    assert len(service.asked) >= len(BUSY) + 1


def test_a_poll_that_breaks_off_is_repeated_and_a_prediction_is_not_created_twice(service: Service) -> None:
    player = generator(service, "replicate")
    service.failures = [None]
    with pytest.raises(NrxError, match="broke off") as caught:
        player.takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"
    assert service.paths() == ["POST /v1/predictions"]
    service.polls, service.asked = 1, []
    started = service.answer

    def breaks_first_poll(asked: Any) -> Any:
        if asked.method == "GET" and len(service.asked) == 1:
            service.asked.append(asked)
            return None
        return started(asked)

    service.answer = breaks_first_poll  # type: ignore[method-assign]  # this one alone
    player.takes([WISH], Sampling())
    assert service.paths().count("POST /v1/predictions") == 1


@pytest.mark.parametrize("name", SERVICE_NAMES)
@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (401, b'{"detail": "Invalid token r8_a-very-secret-key-0123456789"}', "cloud.key", "refuses the key"),
        (402, b'{"detail": "Insufficient credit"}', "cloud.failed", "Insufficient credit"),
        (404, b'{"error": "Model not supported by provider hf-inference"}', "cloud.failed", "not supported"),
        (422, b'{"title": "Input validation failed", "detail": "- input: x"}', "cloud.failed", "input: x"),
        (307, b"", "cloud.failed", "307"),
    ],
)
def test_a_refusal_is_told_once_and_without_the_key(
    service: Service, name: str, status: int, body: bytes, code: str, words: str
) -> None:
    service.failures = [(status, {"Location": "https://example.org/"}, body)]
    with pytest.raises(NrxError, match=words) as caught:
        generator(service, name).takes([WISH], Sampling())
    assert caught.value.code == code
    assert KEY not in caught.value.sentence
    assert len(service.asked) == 1


def test_a_service_that_stays_busy_is_given_up(service: Service) -> None:
    service.failures = [(503, {}, b'{"error": "overloaded"}')] * 100
    with pytest.raises(NrxError, match=r"overloaded, 8 times in a row") as caught:
        generator(service, "huggingface").takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"
    assert len(service.asked) == wire.MOST_TRIES


def test_a_service_that_cannot_be_reached_is_told(service: Service) -> None:
    player = generator(service, "replicate", urls={"replicate": "http://127.0.0.1:9"})
    with pytest.raises(NrxError, match="cannot be reached") as caught:
        player.takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"


def test_patience_ends_and_the_prediction_with_it(service: Service) -> None:
    service.polls = 10_000
    with pytest.raises(NrxError, match="has not finished within 1 s") as caught:
        generator(service, "replicate", patience_s=1.0).takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"
    assert service.paths()[-1] == "POST /v1/predictions/p1/cancel"


def test_a_cancelled_job_cancels_its_prediction_and_takes_its_file_back(service: Service) -> None:
    service.polls = 10_000

    def cancelled() -> bool:
        return "GET /v1/predictions/p1" in service.paths()

    with pytest.raises(Cancelled):
        generator(service, "replicate").takes(
            [Wish("a", 2.0, melody())], Sampling(), Monitor(is_cancelled=cancelled)
        )
    assert service.paths()[-2:] == ["POST /v1/predictions/p1/cancel", "DELETE /v1/files/f1"]


def test_a_job_is_cancelled_while_a_request_hangs(service: Service) -> None:
    service.hangs_s = 5.0
    began = time.monotonic()
    with pytest.raises(Cancelled):
        generator(service, "huggingface").takes(
            [WISH], Sampling(), Monitor(is_cancelled=lambda: bool(service.asked))
        )
    assert time.monotonic() - began < service.hangs_s


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ({"status": "failed", "error": "CUDA out of memory.", "output": None}, "CUDA out of memory"),
        ({"status": "canceled", "output": None}, "canceled"),
        ({"output": None}, "no address"),
        ({"output": {"audio": 1}}, "no address"),
        ({"output": "http://192.0.2.1/out.wav"}, "not https"),
        ({"output": "file:///etc/passwd"}, "not https"),
    ],
)
def test_a_prediction_that_ends_badly_is_told(service: Service, ending: dict[str, Any], words: str) -> None:
    service.ending = ending
    with pytest.raises(NrxError, match=words) as caught:
        generator(service, "replicate").takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"


@pytest.mark.parametrize("name", SERVICE_NAMES)
@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (b"", "no sound"),
        (b"<html>sorry</html>", "no sound"),
        (wav(2.5)[:40], "no sound"),
        (wav(0.4), "0.4 s of sound where 2.0 s"),
    ],
)
def test_what_is_no_take_is_refused(service: Service, name: str, sound: bytes, words: str) -> None:
    service.sound = sound
    with pytest.raises(NrxError, match=words) as caught:
        generator(service, name).takes([WISH], Sampling())
    assert caught.value.code == "cloud.failed"


def test_an_answer_in_json_is_no_sound(service: Service) -> None:
    service.content_type, service.sound = "application/json; charset=utf-8", b'[{"generated_text": "la"}]'
    with pytest.raises(NrxError, match="where sound was to come"):
        generator(service, "huggingface").takes([WISH], Sampling())


def test_a_download_without_end_is_stopped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.Wire.answer, "__kwdefaults__", {"most": 1000, "repeatable": True})
    with pytest.raises(NrxError, match="more than 1000 bytes"):
        generator(service, "huggingface").takes([WISH], Sampling())


@pytest.mark.parametrize("may_be_asked", [False, True])
def test_the_key_goes_to_the_service_alone_and_nothing_is_asked_without_https(
    service: Service, monkeypatch: pytest.MonkeyPatch, may_be_asked: bool
) -> None:
    with serving(Service(sound=wav(2.5))) as other:
        plain = service.answer

        def sends_on(asked: Any) -> Any:
            if asked.path == "/out.wav":
                service.asked.append(asked)
                return 302, {"Location": f"{other.url}/elsewhere.wav"}, b""
            return plain(asked)

        service.answer = sends_on  # type: ignore[method-assign]  # this one alone
        player = generator(service, "replicate")
        if may_be_asked:  # as if it were https
            monkeypatch.setattr(wire.Wire, "_is_safe", lambda _self, _url: True)
            (take,) = player.takes([WISH], Sampling())
            assert take.frames == 64000
            assert [KEY in str(asked.headers) for asked in other.asked] == [False]
            assert all(KEY in str(asked.headers) for asked in service.asked)
        else:
            with pytest.raises(NrxError, match="not https"):
                player.takes([WISH], Sampling())
            assert other.asked == []


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_the_key_is_in_no_log_no_description_and_no_cache_key(
    service: Service, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    backends = Backends(ModelStore(Path("nowhere")), generate=name, cloud=access(service))
    choice = backends.generator()
    player = generator_of(choice, backends)
    player.takes([WISH], Sampling())
    told = [
        caplog.text,
        repr(backends),
        repr(choice),
        str(choice.key),
        repr(player.info),
        repr(backends.cloud),
    ]
    assert not any(KEY in text for text in told)


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_what_plays_is_told_with_model_version_licence_and_that_it_is_in_the_cloud(
    service: Service, name: str
) -> None:
    info = generator(service, name).info
    assert (info.name, info.licence, info.commercial_use) == (name, "CC BY-NC 4.0", False)
    assert info.model == f"{name}:{SERVICES[name].model}"
    assert info.revision
    (note,) = info.notes
    assert "played in the cloud" in note
    assert SERVICES[name].sends in note


@pytest.mark.parametrize("name", SERVICE_NAMES)
@pytest.mark.parametrize(
    ("store", "changed", "code", "words"),
    [
        ({"offline": True}, {}, "model.offline", "stay offline"),
        ({}, {"allowed": False}, "cloud.not_allowed", "would leave this machine"),
        ({"commercial_only": True}, {}, "model.not_commercial", "CC BY-NC"),
        ({}, {"keys": {}}, "cloud.key", "has no key"),
        ({}, {"keys": dict.fromkeys(SERVICES, "sécret")}, "cloud.key", "letters that no key has"),
        ({}, {"urls": dict.fromkeys(SERVICES, "http://example.org")}, "request.invalid", "not an https"),
    ],
)
def test_without_leave_nothing_is_asked(
    service: Service, name: str, store: dict[str, Any], changed: dict[str, Any], code: str, words: str
) -> None:
    backends = Backends(ModelStore(Path("nowhere"), **store), generate=name, cloud=access(service, **changed))
    with pytest.raises(NrxError, match=words) as caught:
        backends.generator()
    assert caught.value.code == code
    assert service.asked == []


def test_a_licence_that_the_user_has_may_be_used(service: Service) -> None:
    store = ModelStore(
        Path("nowhere"), commercial_only=True, cleared=frozenset({"huggingface:facebook/musicgen-small"})
    )
    assert Backends(store, generate="huggingface", cloud=access(service)).generator().is_neural


def test_auto_never_takes_a_cloud_service(service: Service, tmp_path: Path) -> None:
    for wanted in ("auto", "arranger"):
        choice = Backends(ModelStore(tmp_path), generate=wanted, cloud=access(service)).generator()
        assert choice.backend == "arranger"
    with pytest.raises(NrxError):
        Backends(ModelStore(tmp_path), generate="musicgen", cloud=access(service)).generator()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("replicate:someone/model", "needs its version"),
        ("replicate:../../secrets", "no model at Replicate"),
        ("replicate:a/b/c:1", "no model at Replicate"),
        ("huggingface:musicgen", "no model at Hugging Face"),
        ("huggingface:facebook/musicgen-small:main", "takes no version"),
        ("huggingface:facebook/musicgen?x=", "no model at Hugging Face"),
    ],
)
def test_names_that_are_none_are_refused(service: Service, name: str, words: str) -> None:
    with pytest.raises(NrxError, match=words) as caught:
        generator(service, name)
    assert caught.value.code == "request.invalid"


def test_a_model_of_ones_own_choice_is_asked_in_its_version(service: Service) -> None:
    player = generator(service, "replicate:someone/music:abc123")
    player.takes([WISH], Sampling())
    assert service.asked[0].said["version"] == "abc123"
    assert (player.info.revision, player.info.licence) == ("abc123", "not known to nrx; its page says it")


@pytest.mark.parametrize(
    ("wish", "sampling", "words"),
    [
        (Wish("a", 31.0), Sampling(), "at most 30 s"),
        (WISH, Sampling(beams=2), "no beam search"),
    ],
)
def test_what_a_service_does_not_do_is_refused_before_anything_is_sent(
    service: Service, wish: Wish, sampling: Sampling, words: str
) -> None:
    with pytest.raises(NrxError, match=words):
        generator(service, "huggingface").takes([wish], sampling)
    assert service.asked == []
