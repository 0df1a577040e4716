"""Whole jobs that are played elsewhere: at a cloud service with leave and told of, or by a child process."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from bridge.backends import backends_of, names_a_path
from bridge.config import load_settings
from bridge.doors.cli.app import nrx
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from engine.errors import NrxError
from engine.generation.apart import backend as apart
from engine.generation.apart.pipe import Pipe
from engine.models.cloud import SERVICES
from engine.models.interpreter import is_apart
from tests.engine.actions.standin_generator import band
from tests.engine.generation.apart.test_pipe_to_child import STAND_IN, put_interpreter
from tests.engine.generation.cloud.cloud_services import KEY, Service, serving

REQUEST = {
    "action": "generate",
    "prompt": "dark techno, 120 bpm",
    "duration_s": 8.0,
    "bpm": 120.0,
    "generation": {"tries": 1},
}


@pytest.fixture
def service(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serve both services with a small band, and have settings and keys for them."""
    file = io.BytesIO()
    made = band(118.0, 16.0)
    sf.write(file, made.samples.T, made.sample_rate, format="WAV")
    with serving(Service(sound=file.getvalue(), polls=1)) as running:
        urls = {"huggingface": f"{running.url}/models/{{model}}", "replicate": f"{running.url}/v1"}
        lines = ["[cloud]", "allowed = true", *(f'{name}_url = "{url}"' for name, url in urls.items())]
        (own_home / "nrx.toml").write_text("\n".join(lines))
        for item in SERVICES.values():
            monkeypatch.setenv(item.variable, KEY)
        yield running


def run(out: Path, **fields: Any) -> Manifest:
    return Job(parse_request({**REQUEST, **fields}), load_settings(), out).run()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_return_from_the_cloud_says_so_and_holds_no_key(
    service: Service, tmp_path: Path, own_home: Path, name: str
) -> None:
    manifest = run(tmp_path / "out", generator=name)
    (played,) = manifest.backends
    (take,) = manifest.takes
    model = SERVICES[name].model
    assert (played.name, played.licence, played.commercial_use) == (f"{name}:{model}", "CC BY-NC 4.0", False)
    assert played.revision == (SERVICES[name].revision or "as the service has it")
    assert "in the cloud" in (played.why or "")
    assert take.device == "cloud (127.0.0.1)"
    assert take.measured_bpm == pytest.approx(118.0, abs=0.5)
    assert take.target_bpm == 120.0
    assert f"{name}:{model}: CC BY-NC 4.0" in manifest.licences
    assert any("played in the cloud" in note for note in manifest.notes)
    places = [*(tmp_path / "out").rglob("*"), *own_home.rglob("*")]
    assert not any(KEY.encode() in path.read_bytes() for path in places if path.is_file())
    count = len(service.asked)
    run(tmp_path / "out", generator=name)
    assert len(service.asked) == count  # the same wish is not sent twice


def test_without_leave_nothing_leaves_and_the_sentence_says_how_to_give_it(
    service: Service, tmp_path: Path, own_home: Path
) -> None:
    (own_home / "nrx.toml").write_text("")
    with pytest.raises(NrxError, match="allowed = true") as caught:
        run(tmp_path / "out", generator="replicate")
    assert caught.value.code == "cloud.not_allowed"
    assert service.asked == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("setting", ["generator", "prefer_generator"])
def test_no_setting_sends_every_request_to_the_cloud(service: Service, own_home: Path, setting: str) -> None:
    file = own_home / "nrx.toml"
    file.write_text(f'{file.read_text()}\n[models]\n{setting} = "replicate"\n')
    with pytest.raises(NrxError, match="must not be a cloud service") as caught:
        load_settings()
    assert caught.value.code == "request.invalid"


def test_keys_are_taken_from_the_variables_or_the_file_and_never_shown(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "nrx.toml").write_text('[cloud]\nreplicate_key = "from the file"\n')
    assert backends_of(load_settings()).cloud.keys == {"replicate": "from the file"}
    monkeypatch.setenv("REPLICATE_API_TOKEN", KEY)
    monkeypatch.setenv("HUGGINGFACE_API_KEY", KEY)
    settings = load_settings()
    assert backends_of(settings).cloud.keys == {"huggingface": KEY, "replicate": KEY}
    assert KEY not in repr(settings)
    assert KEY not in json.dumps(settings.model_dump(mode="json"))
    (own_home / "nrx.toml").write_text("[cloud]\nreplicate_key = 12345678\n")
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    with pytest.raises(NrxError, match="not shown") as caught:
        load_settings()
    assert "12345678" not in caught.value.sentence


def test_the_command_line_says_beforehand_what_leaves_this_machine(service: Service, tmp_path: Path) -> None:
    words = ["dark techno", "--bpm", "120", "--duration", "8", "--tries", "1", "--backend", "replicate"]
    done = CliRunner().invoke(nrx, ["generate", *words, "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    assert "will leave this machine" in done.stderr
    manifest = json.loads(done.stdout)
    assert manifest["takes"][0]["backend"] == "replicate"


def test_a_remix_in_the_cloud_sends_a_sketch_alone(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "song.wav"
    made = band(120.0, 10.0)
    sf.write(file, made.samples.T, made.sample_rate)
    run(
        tmp_path / "out",
        inputs=[{"path": str(file), "role": "other"}],
        generator="replicate",
        prompt=None,
        duration_s=None,
        bpm=None,
    )
    assert service.paths()[0] == "POST /v1/files"
    sent = sum(len(asked.body) for asked in service.asked)
    assert sent < file.stat().st_size / 2


def test_a_job_is_played_by_a_child_in_its_own_interpreter(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    put_interpreter(settings.models_folder, "facebook/musicgen-small")

    def stand_in(interpreter: Any, hub: str, *, offline: bool = True) -> Pipe:
        return Pipe(STAND_IN, apart.variables(interpreter.hub, hub, offline=offline), "audiocraft")

    monkeypatch.setattr(apart, "open_pipe", stand_in)
    manifest = run(tmp_path / "out", generator="audiocraft")
    (played,) = manifest.backends
    (take,) = manifest.takes
    assert (played.name, played.revision) == ("audiocraft:facebook/musicgen-small", "c0ffee")
    assert "audiocraft 1.3.0" in played.what
    assert (take.device, take.licence) == ("cpu (audiocraft)", "CC BY-NC 4.0")
    assert manifest.device == "cpu"
    (track,) = [item for item in manifest.tracks if item.kind == "generated"]
    samples, _ = sf.read(Path(manifest.folder) / track.file)
    assert np.abs(samples).max() > 0.01


def test_a_path_behind_the_interpreters_name_is_a_path_for_the_doors_too() -> None:
    for name in ("audiocraft:/etc", "audiocraft:~/model", "audiocraft:./model"):
        assert is_apart(name)
        assert names_a_path(parse_request({**REQUEST, "generator": name})) == name
    assert names_a_path(parse_request({**REQUEST, "generator": "audiocraft:facebook/musicgen-small"})) is None


def test_the_interpreter_is_listed_shown_and_removed(own_home: Path) -> None:
    root = load_settings().models_folder
    runner = CliRunner()

    def row() -> dict[str, Any]:
        rows = json.loads(runner.invoke(nrx, ["models", "list", "--json"]).stdout)
        (found,) = [item for item in rows if item["name"] == "audiocraft"]
        return dict(found)

    assert (row()["installed"], "install audiocraft" in row()["needs"]) == (False, True)
    absent = runner.invoke(nrx, ["models", "path", "audiocraft"]).exception
    assert isinstance(absent, NrxError)
    assert absent.code == "model.missing"
    put_interpreter(root)
    assert (row()["installed"], row()["made"], row()["folder"]) == (True, "by hand", str(root / "audiocraft"))
    assert runner.invoke(nrx, ["models", "path", "audiocraft"]).stdout.strip() == str(root / "audiocraft")
    listed = runner.invoke(nrx, ["models", "list", "--here"])
    assert "audiocraft" in listed.stdout
    again = runner.invoke(nrx, ["models", "install", "audiocraft"])
    assert "installed by hand" in again.stdout
    assert "--weights facebook/musicgen-small" in again.stdout
    assert runner.invoke(nrx, ["models", "remove", "audiocraft", "--yes"]).exit_code == 0
    assert not (root / "audiocraft").exists()
