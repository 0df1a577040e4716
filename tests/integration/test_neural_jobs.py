"""Jobs with neural backends, on small checkpoints in the real formats: fetched, chosen, used, told of, and let go."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("demucs", reason="demucs (extra `neural`) is not installed")
pytest.importorskip("transformers", reason="transformers (extra `neural`) is not installed")

from bridge.backends import backends_of, store_of
from bridge.config import load_settings
from bridge.doors.cli.app import nrx
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from engine.errors import NrxError
from engine.models import CATALOGUE
from engine.models.fetch import Fetching, fetch
from tests.hub_server import COMMIT, Hub, serving
from tests.neural_fixtures import tiny_clap, tiny_demucs


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    (folder / "demucs").mkdir()
    tiny_demucs(folder / "demucs")
    tiny_clap(folder / "clap", pickled=True)
    (folder / "clap" / "special_tokens_map.json").write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def hub(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve both models as their repositories are laid out, and have every nrx of the test ask there."""
    repos = {
        "adefossez/HTDemucs": {path.name: path.read_bytes() for path in (checkpoints / "demucs").iterdir()},
        "laion/larger_clap_music": {
            path.name: path.read_bytes() for path in (checkpoints / "clap").iterdir()
        },
    }
    large = frozenset({"955717e8.safetensors", "pytorch_model.bin"})
    with serving(Hub(repos, large)) as served:
        monkeypatch.setenv("NRX_MODELS_HUB", served.url)
        yield served


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Write four bars of drums and bass, short enough for a network on a busy machine."""
    rate, bars = 22050, 2
    at_s = np.arange(int(bars * 2.0 * rate)) / rate
    beat = at_s % 0.5
    rng = np.random.default_rng(0)
    drums = rng.standard_normal(at_s.size) * np.exp(-beat * 40) * 0.3
    bass = np.sin(2 * np.pi * 55 * at_s) * 0.3
    path = tmp_path / "Lied ü.wav"
    soundfile.write(path, np.stack([drums + bass, drums * 0.8 + bass]).T, rate, subtype="PCM_24")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(nrx, [str(item) for item in arguments])


def job(song: Path, tmp_path: Path, **fields: Any) -> Manifest:
    request = parse_request({"action": "separate", "inputs": [{"path": str(song)}], **fields})
    return Job(request, load_settings(), tmp_path / "out").run()


def test_a_fetched_model_is_chosen_used_and_named_in_the_manifest(song: Path, tmp_path: Path) -> None:
    before = job(song, tmp_path)
    (built_in,) = before.backends
    assert built_in.name == "spectral"
    assert built_in.why is not None
    assert "nrx models fetch htdemucs" in built_in.why
    assert built_in.model is None
    fetch("htdemucs", Fetching(store_of(load_settings())))
    after = job(song, tmp_path)
    (neural,) = after.backends
    assert (neural.name, neural.model, neural.revision) == ("htdemucs", "adefossez/HTDemucs", COMMIT)
    assert neural.licence in after.licences[0]
    assert neural.commercial_use is False
    assert after.device == neural.device
    assert not after.stages[1].cached, "another backend's stems are another entry of the cache"
    mix, rate = soundfile.read(song)
    stems = [soundfile.read(Path(after.folder) / track.file)[0] for track in after.tracks]
    assert all(track.sample_rate == rate and track.frames == len(mix) for track in after.tracks)
    assert np.abs(sum(stems) - mix).max() < 1e-5
    again = job(song, tmp_path)
    assert again.stages[1].cached
    assert again.device == after.device


@pytest.mark.slow
def test_options_and_weights_are_part_of_what_is_cached(
    song: Path, tmp_path: Path, checkpoints: Path
) -> None:
    own = str(checkpoints / "demucs")
    first = job(song, tmp_path, separator=own, separation={"shifts": 0})
    assert job(song, tmp_path, separator=own, separation={"shifts": 0}).stages[1].cached
    assert not job(song, tmp_path, separator=own, separation={"shifts": 0, "overlap": 0.1}).stages[1].cached
    assert first.backends[0].revision == "own"
    assert first.backends[0].model == own


def test_a_model_that_is_asked_for_and_absent_is_refused_before_any_work(song: Path, tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="nrx models fetch htdemucs") as caught:
        job(song, tmp_path, separator="htdemucs")
    assert caught.value.code == "model.missing"
    assert not (tmp_path / "out").exists()


def test_a_stem_that_the_model_does_not_give_is_refused_before_any_work(song: Path, tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="two_stems"):
        job(song, tmp_path, two_stems="piano")
    assert not (tmp_path / "out").exists()


def test_commercial_only_keeps_to_what_is_built_in(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("htdemucs", Fetching(store_of(load_settings())))
    monkeypatch.setenv("NRX_MODELS_COMMERCIAL_ONLY", "true")
    done = job(song, tmp_path)
    assert done.backends[0].name == "spectral"
    assert "commercial_only" in str(done.backends[0].why)
    with pytest.raises(NrxError, match="commercial_only"):
        job(song, tmp_path, separator="htdemucs")


def test_offline_uses_what_is_there_and_asks_nobody(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    fetch("htdemucs", Fetching(store_of(load_settings())))
    hub.asked.clear()
    monkeypatch.setenv("NRX_MODELS_OFFLINE", "true")
    assert job(song, tmp_path).backends[0].name == "htdemucs"
    assert hub.asked == []


def test_models_are_managed_from_the_command_line(hub: Hub) -> None:
    listed = json.loads(run("models", "list", "--json").stdout)
    assert {"name", "size_bytes", "sha256", "revision", "licence", "commercial", "folder", "needs"} <= set(
        listed[0]
    )
    assert not any(row["installed"] for row in listed)
    assert run("models", "path", "htdemucs").exit_code != 0
    (fetched,) = json.loads(run("models", "fetch", "htdemucs", "--json").stdout)
    assert fetched["installed"]
    assert set(fetched["sha256"]) == {"htdemucs.yaml", "955717e8.safetensors"}
    place = run("models", "path", "htdemucs").stdout.strip()
    assert place == fetched["folder"]
    (verified,) = json.loads(run("models", "verify", "--json").stdout)
    assert verified["intact"] is True
    assert "htdemucs" in run("models", "list", "--here").stdout
    (Path(place) / "955717e8.safetensors").write_bytes(b"x")
    broken = run("models", "verify", "htdemucs", "--json")
    assert broken.exit_code == 3
    assert json.loads(broken.stdout)[0]["intact"] is False
    assert "fetches it anew" in run("models", "list").stdout
    assert run("models", "fetch", "htdemucs").exit_code == 0
    assert run("models", "verify").exit_code == 0
    assert "left as it is" in run("models", "remove", "htdemucs").stdout
    assert "freed" in run("models", "remove", "htdemucs", "--yes").stdout
    assert not Path(place).exists()


@pytest.mark.slow
def test_sound_and_words_are_embedded_and_kept(song: Path, hub: Hub) -> None:
    refused = run("embed", song)
    assert isinstance(refused.exception, NrxError)
    assert "nrx models fetch clap-music" in refused.exception.sentence
    assert run("models", "fetch", "clap-music", "--json").exit_code == 0
    made = json.loads(run("embed", song, "slow jazz", "--json").stdout)
    assert [item["dimension"] for item in made] == [8, 8]
    assert all(np.linalg.norm(item["embedding"]) == pytest.approx(1.0, abs=1e-4) for item in made)
    assert made[0]["model"] == "clap-music"
    assert made[0]["revision"] == COMMIT
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "bridge.embedding._computed", lambda *_: pytest.fail("what is known was computed again")
        )
        assert json.loads(run("embed", song, "slow jazz", "--json").stdout) == made
    ranked = json.loads(run("embed", song, "--prompt", "slow jazz", "--like", song, "--json").stdout)
    assert ranked[0]["by_likeness"] == pytest.approx(1.0, abs=1e-4)
    styles = json.loads(run("styles", "--like", song, "--json").stdout)
    assert {"lofi_chill", "edm"} <= {item["id"] for item in styles}
    scores = [item["score"] for item in styles]
    assert scores == sorted(scores, reverse=True)


def test_a_daemon_takes_models_by_name_alone(song: Path, checkpoints: Path) -> None:
    from bridge.jobs import Jobs

    jobs = Jobs(load_settings())
    try:
        own = {
            "action": "separate",
            "inputs": [{"path": str(song)}],
            "separator": str(checkpoints / "demucs"),
        }
        with pytest.raises(NrxError, match="by name") as caught:
            jobs.submit(parse_request(own), door="test")
        assert caught.value.code == "request.forbidden"
        with pytest.raises(NrxError, match="nrx models fetch"):
            jobs.submit(parse_request({**own, "separator": "htdemucs"}), door="test")
    finally:
        jobs.close()


class TestFirstPublishedFiles:
    """Demucs' own pickled files, whose names hold the start of their hash, where the hub has not got the model."""

    @pytest.fixture
    def pickled(self, tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "pickled"
        folder.mkdir()
        tiny_demucs(folder, suffix=".th")
        (file,) = folder.glob("*.th")
        del hub.repos["adefossez/HTDemucs"]
        hub.repos["mirror"] = {file.name: file.read_bytes()}
        card = replace(CATALOGUE["htdemucs"], mirrors=(f"{hub.storage}/bytes/{file.name}",))
        monkeypatch.setitem(CATALOGUE, "htdemucs", card)
        return file

    @pytest.mark.slow
    def test_they_are_fetched_converted_and_separate(
        self, pickled: Path, song: Path, tmp_path: Path, hub: Hub
    ) -> None:
        hub.cut_after[pickled.name] = [100_000]
        installed = fetch("htdemucs", Fetching(store_of(load_settings())))
        assert set(installed.sha256) == {"htdemucs.yaml", "955717e8.safetensors"}
        assert installed.revision == "127.0.0.1"
        assert [span is None for span in hub.bodies_of(pickled.name)] == [True, False]
        assert job(song, tmp_path, separation={"shifts": 0}).backends[0].name == "htdemucs"

    def test_a_wrong_one_is_refused_for_the_hash_in_its_name(self, pickled: Path, hub: Hub) -> None:
        hub.served[pickled.name] = b"x" * pickled.stat().st_size
        with pytest.raises(NrxError) as caught:
            fetch("htdemucs", Fetching(store_of(load_settings())))
        assert caught.value.code == "model.download"
        assert store_of(load_settings()).find("htdemucs") is None

    @pytest.mark.slow
    def test_those_in_pytorchs_cache_are_taken_offline(
        self, pickled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub
    ) -> None:
        kept = tmp_path / "torch" / "hub" / "checkpoints"
        kept.mkdir(parents=True)
        (kept / pickled.name).write_bytes(pickled.read_bytes())
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
        monkeypatch.setenv("NRX_MODELS_OFFLINE", "true")
        assert "955717e8.safetensors" in fetch("htdemucs", Fetching(store_of(load_settings()))).sha256
        assert hub.asked == []


class TestSettings:
    def test_variables_of_older_systems_are_honoured_and_ours_beat_them(
        self, monkeypatch: pytest.MonkeyPatch, own_home: Path
    ) -> None:
        (own_home / "nrx.toml").write_text('[models]\ndevice = "mps"\ncleared = ["htdemucs"]\n')
        assert load_settings().models.device == "mps"
        monkeypatch.setenv("DEVICE", "cuda")
        monkeypatch.setenv("MUSICGEN_MODEL", "facebook/musicgen-medium")
        models = load_settings().models
        assert (models.device, models.prefer_generator) == ("cuda", "facebook/musicgen-medium")
        assert models.cleared == ("htdemucs",)
        monkeypatch.setenv("NRX_MODELS_DEVICE", "cpu")
        assert load_settings().models.device == "cpu"
        assert backends_of(load_settings()).preferred == {"generate": "facebook/musicgen-medium"}

    def test_a_request_beats_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NRX_MODELS_SEPARATOR", "htdemucs_ft")
        monkeypatch.setenv("DEVICE", "cuda")
        request = parse_request(
            {"action": "separate", "inputs": [{"path": "x"}], "separator": "spectral", "device": "cpu"}
        )
        backends = backends_of(load_settings(), request)
        assert (backends.separate, backends.device) == ("spectral", "cpu")
        assert backends_of(load_settings()).separate == "htdemucs_ft"

    @pytest.mark.parametrize("device", ["tpu", "cuda:x", "/dev/sda", ""])
    def test_a_device_that_cannot_be_is_refused_by_the_protocol(self, device: str) -> None:
        with pytest.raises(NrxError, match="device"):
            parse_request({"action": "separate", "inputs": [{"path": "x"}], "device": device})
