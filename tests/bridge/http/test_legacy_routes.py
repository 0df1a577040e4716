"""The documented calls of the systems taken over, replayed as they are documented, with the token added."""

import base64
import io
import json
import re
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from http_daemon import Daemon, eventually
from http_standin import wav_bytes

from bridge.protocol import JobError

JSON = {"content-type": "application/json"}


def upload(daemon: Daemon) -> dict[str, Any]:
    """curl -X POST …/api/upload -F "file=@your_music.mp3"."""
    answer = daemon.client.post("/api/upload", files={"file": ("your_music.wav", wav_bytes())})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


class TestRemixEngine:
    def test_upload(self, daemon: Daemon) -> None:
        told = upload(daemon)
        assert told["filename"] == "your_music.wav"
        assert told["duration"] == 1.0
        assert told["message"] == "File uploaded successfully"
        assert told["file_id"] == told["audio_id"]

    def test_a_remix_from_upload_to_download(self, daemon: Daemon) -> None:
        body = {"file_id": upload(daemon)["file_id"], "style": "lofi_chill", "energy": 1.0, "brightness": 1.0}
        started = daemon.client.post("/api/remix", json=body).json()
        assert started == {
            "job_id": started["job_id"],
            "status": "processing",
            "message": "Remix job started",
        }
        job_id = started["job_id"]
        status = daemon.client.get(f"/api/status/{job_id}").json()
        assert (status["status"], status["progress"], status["result"]) == ("processing", 0, None)
        assert code_of(daemon.client.get(f"/api/download/{job_id}")) == "job.state"
        daemon.jobs.tell("progress", job_id, state="running", stage="generate", fraction=0.999)
        status = daemon.client.get(f"/api/status/{job_id}").json()
        assert (status["status"], status["progress"], status["stage"]) == ("processing", 99, "generate")
        folder = daemon.jobs.finish(job_id)
        status = daemon.client.get(f"/api/status/{job_id}").json()
        assert (status["job_id"], status["status"], status["progress"]) == (job_id, "completed", 100)
        assert status["result"]["output_path"] == str(folder / "master.wav")
        assert set(status["result"]) == {"output_path", "analysis", "model", "mode"}
        assert "arranger" in status["result"]["model"]
        sound = daemon.client.get(f"/api/download/{job_id}")
        assert sound.headers["content-type"] == "audio/wav"
        assert sound.content == (folder / "master.wav").read_bytes()

    def test_energy_and_brightness_reach_the_job(self, daemon: Daemon) -> None:
        body = {"file_id": upload(daemon)["file_id"], "style": "jazz", "energy": 1.5, "brightness": 0.5}
        request = daemon.jobs.asked[daemon.client.post("/api/remix", json=body).json()["job_id"]]
        assert (request.action, request.style, request.energy, request.brightness) == (
            "remix",
            "jazz",
            1.5,
            0.5,
        )

    def test_what_is_wrong_is_refused(self, daemon: Daemon) -> None:
        file_id = upload(daemon)["file_id"]
        for body, code in (
            ({"file_id": "x", "style": "jazz"}, "upload.unknown"),
            ({"file_id": file_id}, "request.invalid"),
            ({"file_id": file_id, "style": "jazz", "energy": 3}, "request.invalid"),
        ):
            assert code_of(daemon.client.post("/api/remix", json=body)) == code
        assert code_of(daemon.client.get("/api/status/x")) == "job.unknown"
        assert code_of(daemon.client.get("/api/download/x")) == "job.unknown"

    def test_a_failed_job_says_why(self, daemon: Daemon) -> None:
        daemon.jobs.fail_with = JobError(code="input.silent", sentence="The input is silent.")
        body = {"file_id": upload(daemon)["file_id"], "style": "jazz"}
        job_id = daemon.client.post("/api/remix", json=body).json()["job_id"]
        status = daemon.client.get(f"/api/status/{job_id}").json()
        assert (status["status"], status["error"]) == ("failed", "The input is silent.")
        assert "silent" in daemon.client.get(f"/api/download/{job_id}").json()["error"]["sentence"]

    def test_styles_are_the_eight_documented_ones(self, daemon: Daemon) -> None:
        styles = {style["id"]: style for style in daemon.client.get("/api/styles").json()["styles"]}
        documented = {
            "lofi_chill": ([70, 90], 0.4), "synthwave": ([100, 130], 0.7), "neo_soul": ([80, 110], 0.6),
            "acoustic": ([80, 120], 0.5), "edm": ([120, 140], 0.9), "jazz": ([100, 180], 0.6),
            "rock": ([110, 150], 0.8), "orchestral": ([60, 120], 0.7),
        }  # fmt: skip
        assert {key: (item["tempo_range"], item["energy"]) for key, item in styles.items()} == documented
        assert set(styles["jazz"]) == {"id", "name", "description", "tempo_range", "energy"}

    def test_system_tells_mode_and_models(self, daemon: Daemon) -> None:
        told = daemon.client.get("/api/system").json()
        assert set(told["models"]) == {"demucs", "librosa", "musicgen"}
        assert told["models"]["librosa"] == "active"
        assert (told["mode"] == "full") == (set(told["models"].values()) == {"active"})


class TestMusicGenerationBackend:
    def test_a_variation_from_upload_to_download(self, daemon: Daemon, tmp_path: Path) -> None:
        audio_id = upload(daemon)["audio_id"]
        answer = daemon.client.post(
            f"/api/generate/{audio_id}", content='{"duration": 30, "temperature": 0.8}', headers=JSON
        )
        generation_id = answer.json()["generation_id"]
        request = daemon.jobs.asked[generation_id]
        assert (request.action, request.duration_s, len(request.inputs)) == ("generate", 30.0, 1)
        daemon.jobs.finish(generation_id)
        output = tmp_path / "generated_music.wav"
        output.write_bytes(daemon.client.get(f"/api/download/{generation_id}").content)
        assert soundfile.info(output).frames > 0

    def test_each_variation_is_another_one(self, daemon: Daemon) -> None:
        audio_id = upload(daemon)["audio_id"]
        ids = [
            daemon.client.post(f"/api/generate/{audio_id}", json={}).json()["generation_id"] for _ in range(5)
        ]
        assert len({daemon.jobs.asked[job_id].seed for job_id in ids}) == 5

    def test_an_embedding_without_weights_says_what_to_do(self, daemon: Daemon) -> None:
        answer = daemon.client.get(f"/api/embedding/{upload(daemon)['audio_id']}")
        assert answer.status_code == 501
        assert code_of(answer) == "model.missing"
        assert re.search(r"nrx models fetch|pip install", answer.json()["error"]["sentence"])
        assert code_of(daemon.client.get("/api/embedding/unknown")) == "upload.unknown"

    @pytest.mark.slow
    def test_an_embedding_is_a_vector_of_length_one_with_its_model(
        self, daemon: Daemon, own_home: Path, tmp_path: Path
    ) -> None:
        pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
        pytest.importorskip("transformers", reason="transformers (extra `neural`) is not installed")
        from engine.models import CATALOGUE, ModelStore
        from tests.neural_fixtures import tiny_clap

        built = tiny_clap(tmp_path / "clap")
        store = ModelStore(own_home / "models")
        store.root.mkdir(parents=True)
        store.publish(CATALOGUE["clap-music"], "abc", built)
        audio_id = upload(daemon)["audio_id"]
        answer = daemon.client.get(f"/api/embedding/{audio_id}", timeout=120).json()
        assert (answer["audio_id"], answer["dimension"], answer["model"]) == (audio_id, 8, "clap-music")
        assert sum(number**2 for number in answer["embedding"]) == pytest.approx(1.0, abs=1e-4)
        assert daemon.client.get(f"/api/embedding/{audio_id}").json() == answer

    @pytest.mark.parametrize(
        "body", [{"duration": 0}, {"duration": -1}, {"duration": 1e9}, {"temperature": 9}, []]
    )
    def test_what_is_wrong_is_refused(self, daemon: Daemon, body: object) -> None:
        audio_id = upload(daemon)["audio_id"]
        assert daemon.client.post(f"/api/generate/{audio_id}", json=body).status_code == 422


class TestMixMaster:
    def create(self, daemon: Daemon, files: dict[str, Any] | None = None, **fields: str) -> httpx.Response:
        """curl -X POST …/v1/jobs -F project_id=… -F preset=… -F stems_meta=[…] -F kick.wav=@…."""
        data = {
            "project_id": "my-project",
            "preset": "Electro House",
            "stems_meta": '[{"name":"kick.wav","role":"kick"}]',
            **fields,
        }
        return daemon.client.post(
            "/v1/jobs", data=data, files=files or {"kick.wav": ("kick.wav", wav_bytes())}
        )

    def test_a_mix_from_form_to_report(self, daemon: Daemon) -> None:
        created = self.create(daemon)
        assert created.status_code == 202, created.text
        job_id = created.json()["job_id"]
        request = daemon.jobs.asked[job_id]
        assert (request.action, request.preset) == ("mix", "Electro House")
        assert [(item.name, item.role) for item in request.inputs] == [("kick.wav", "kick")]
        status = daemon.client.get(f"/v1/jobs/{job_id}").json()
        assert (status["status"], status["project_id"]) == ("queued", "my-project")
        for what in ("mix", "master", "report"):
            assert code_of(daemon.client.get(f"/v1/jobs/{job_id}/download/{what}")) == "job.state"
        daemon.jobs.finish(job_id)
        status = daemon.client.get(f"/v1/jobs/{job_id}").json()
        assert (status["status"], status["progress"]) == ("completed", 100)
        for what in ("mix", "master"):
            assert status["downloads"][what] == f"/v1/jobs/{job_id}/download/{what}"
            sound = daemon.client.get(status["downloads"][what])
            assert sound.content == wav_bytes()
            assert f'filename="{what}.wav"' in sound.headers["content-disposition"]
        assert daemon.client.get(f"/v1/jobs/{job_id}/download/report").json()["tracks"]
        assert daemon.client.get(f"/v1/jobs/{job_id}/download/other").status_code == 422

    def test_targets_options_and_what_is_told_of_stems_are_kept(self, daemon: Daemon) -> None:
        targets = {"lufs": -10, "ceiling_dbTP": -1.0, "width_pct": 120, "lra_max": 8.0}
        options = {"respect_user_gains": False, "bypass_parallel_comp": False, "reference_track_url": None}
        kick = {"name": "kick.wav", "role": "kick", "gain_db": -3, "colour": "red"}
        kick = {"name": "kick.wav", "role": "kick", "gain_db": -3, "colour": "red"}
        metas = [kick, {"name": "v.wav", "role": "Lead Vocal"}]
        created = self.create(
            daemon,
            {"kick.wav": ("kick.wav", wav_bytes()), "files": ("v.wav", wav_bytes(hz=330))},
            targets=json.dumps(targets),
            options=json.dumps(options),
            stems_meta=json.dumps(metas),
        )
        shown = daemon.client.get(f"/v1/jobs/{created.json()['job_id']}").json()
        assert (shown["targets"], shown["options"]) == (targets, options)
        assert shown["stems"][0] == kick
        assert shown["stems"][1]["role"] == "vocals"
        request = daemon.jobs.asked[shown["job_id"]]
        assert (request.lufs, request.ceiling_dbtp) == (-10.0, -1.0)
        assert (request.mastering.width_pct, request.mastering.lra_max) == (120.0, 8.0)
        assert (request.mixing.respect_user_gains, request.mixing.bypass) == (False, ())

    def test_options_reach_the_mix(self, daemon: Daemon) -> None:
        options = {"respect_user_gains": True, "bypass_parallel_comp": True}
        created = self.create(daemon, options=json.dumps(options))
        request = daemon.jobs.asked[created.json()["job_id"]]
        assert (request.mixing.respect_user_gains, request.mixing.bypass) == (True, ("parallel",))

    @pytest.mark.parametrize("preset", ["Electro House", "Pop", "Hip-Hop", "Rock", "Streaming", "streaming"])
    def test_the_documented_presets_are_known(self, daemon: Daemon, preset: str) -> None:
        assert self.create(daemon, preset=preset).status_code == 202

    def test_roles_come_from_names_where_none_is_told(self, daemon: Daemon) -> None:
        files = {"files": ("Lead Vox.wav", wav_bytes()), "bass": ("x1.wav", wav_bytes(hz=55))}
        created = self.create(daemon, files, stems_meta="[]").json()
        assert created["stems"][0]["role"] == "vocals"
        # The mix guesses in the same way, and hears them, too.
        assert [item.role for item in daemon.jobs.asked[created["job_id"]].inputs] == [None, None]

    def test_a_reference_is_an_upload_and_never_an_address(self, daemon: Daemon) -> None:
        reference = daemon.upload("reference.wav")
        kept = self.create(daemon, options=json.dumps({"reference_track_url": reference}))
        assert kept.json()["options"] == {"reference_track_url": reference}
        assert daemon.jobs.asked[kept.json()["job_id"]].inputs[-1].role == "reference"
        for url in (
            "https://example.org/a.wav",
            "http://127.0.0.1/",
            "file:///etc/passwd",
            "//host/a",
            " ftp://x",
        ):
            refused = self.create(daemon, options=json.dumps({"reference_track_url": url}))
            assert code_of(refused) == "request.invalid"
            assert "not fetched" in refused.json()["error"]["sentence"]
        assert (
            code_of(self.create(daemon, options=json.dumps({"reference_upload": "0" * 32})))
            == "upload.unknown"
        )

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"preset": "Polka"}, "request.invalid"),
            ({"stems_meta": "{"}, "request.malformed"),
            ({"stems_meta": "{}"}, "request.invalid"),
            ({"stems_meta": '[{"name": "kick.wav", "role": "triangle player"}]'}, "request.invalid"),
            ({"stems_meta": '[{"name": "snare.wav", "role": "snare"}]'}, "request.invalid"),
            ({"targets": '{"lufs": "loud"}'}, "request.invalid"),
            ({"targets": '{"lufs": 3}'}, "request.invalid"),
            ({"targets": '{"loudness": -10}'}, "request.invalid"),
            ({"targets": "[]"}, "request.invalid"),
            ({"options": "1"}, "request.invalid"),
            ({"options": '{"respect_user_gains": "yes"}'}, "request.invalid"),
            ({"targets": '{"width_pct": 200}'}, "request.invalid"),
        ],
    )
    def test_what_is_wrong_is_refused_and_leaves_nothing(
        self, daemon: Daemon, fields: dict[str, str], code: str
    ) -> None:
        assert code_of(self.create(daemon, **fields)) == code
        assert daemon.jobs.list().total == 0
        assert not list((daemon.home / "uploads").glob("*"))

    def test_a_part_that_is_not_json_is_named(self, daemon: Daemon) -> None:
        for field in ("stems_meta", "targets", "options"):
            said = self.create(daemon, **{field: "{"}).json()["error"]["sentence"]
            assert said.startswith(f"{field} is not JSON")

    def test_a_form_without_files_and_json_are_refused(self, daemon: Daemon) -> None:
        assert daemon.client.post("/v1/jobs", json={"preset": "Pop"}).status_code == 415
        answer = daemon.client.post("/v1/jobs", files={"preset": (None, "Pop")})
        assert code_of(answer) == "request.invalid"

    def test_twelve_stems_are_one_job(self, daemon: Daemon) -> None:
        files = [(f"s{n}.wav", (f"s{n}.wav", wav_bytes(0.1, hz=100 + n))) for n in range(12)]
        answer = daemon.client.post("/v1/jobs", data={"preset": "Rock"}, files=files)
        assert len(daemon.jobs.asked[answer.json()["job_id"]].inputs) == 12


class TestMusicGenServer:
    def test_generate_answers_with_sound(self, daemon: Daemon) -> None:
        daemon.jobs.auto = True
        body = {"prompt": "energetic techno beat with heavy bass", "duration": 8, "format": "base64"}
        told = daemon.client.post("/generate", json=body).json()
        assert told["success"] is True
        assert told["prompt"] == body["prompt"]
        assert told["duration"] == 8  # the stand-in makes one second; silence follows
        assert told["generation_time"] >= 0
        assert told["audio_base64"].startswith("UklGR")  # RIFF
        sound, rate = soundfile.read(io.BytesIO(base64.b64decode(told["audio_base64"])))
        assert abs(sound[:44100]).max() > 0.2
        assert (rate, len(sound)) == (told["sampling_rate"], 8 * 44100)
        request = daemon.jobs.asked[told["job_id"]]
        assert (request.action, request.prompt, request.duration_s) == ("generate", body["prompt"], 8.0)

    def test_generate_stem_answers_with_sound(self, daemon: Daemon) -> None:
        daemon.jobs.auto = True
        body = {
            "type": "drums", "style": "techno", "mood": "energetic", "key": "C minor", "bpm": 128, "duration": 8,
        }  # fmt: skip
        told = daemon.client.post("/generate_stem", json=body).json()
        assert (told["success"], told["prompt"]) == (True, "energetic techno drums")
        request = daemon.jobs.asked[told["job_id"]]
        assert (request.stem, request.key, request.bpm, request.duration_s) == (
            "drums",
            "C minor",
            128.0,
            8.0,
        )
        named = daemon.client.post("/generate_stem", json={"type": "bass", "style": "jazz"}).json()
        assert daemon.jobs.asked[named["job_id"]].style == "jazz"

    def test_a_voice_is_not_available_yet(self, daemon: Daemon) -> None:
        answer = daemon.client.post("/generate_stem", json={"type": "voice", "style": "angelic choir"})
        assert code_of(answer) == "backend.missing"

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/generate", {}),
            ("/generate", {"prompt": ""}),
            ("/generate", {"prompt": "x", "duration": 0}),
            ("/generate", {"prompt": "x", "duration": 9999}),
            ("/generate", {"prompt": "x", "format": "mp3"}),
            ("/generate_stem", {}),
            ("/generate_stem", {"type": "theremin"}),
            ("/generate_stem", {"type": "drums", "bpm": 5}),
        ],
    )
    def test_what_is_wrong_is_refused(self, daemon: Daemon, path: str, body: dict[str, object]) -> None:
        assert code_of(daemon.client.post(path, json=body)) == "request.invalid"

    def test_a_job_that_fails_answers_with_its_reason(self, daemon: Daemon) -> None:
        daemon.jobs.fail_with = JobError(code="request.invalid", sentence="The key is none.")
        answer = daemon.client.post("/generate", json={"prompt": "x"})
        assert answer.json()["error"] == {"code": "request.invalid", "sentence": "The key is none."}

    def test_a_job_whose_caller_leaves_is_cancelled(self, daemon: Daemon) -> None:
        with pytest.raises(httpx.ReadTimeout):
            daemon.client.post("/generate", json={"prompt": "x"}, timeout=0.5)
        assert eventually(lambda: daemon.jobs.list(state="cancelled").total == 1)

    def test_an_answer_comes_when_the_job_ends_later(self, daemon: Daemon) -> None:
        told: list[httpx.Response] = []
        caller = threading.Thread(
            target=lambda: told.append(daemon.client.post("/generate", json={"prompt": "x"}))
        )
        caller.start()
        assert eventually(lambda: daemon.jobs.list().total == 1)
        daemon.jobs.finish("job1")
        caller.join(20)
        assert told[0].json()["success"] is True

    def test_health_is_open(self, daemon: Daemon) -> None:
        assert httpx.get(f"{daemon.url}/health").json()["status"] == "ok"
