"""`nrx generate`: takes, a conversation, the master as one file, and every flag in the request."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.doors.cli.commands.generate import command
from bridge.doors.cli.wav_copy import as_file, copy_master
from bridge.protocol import Manifest, Request
from engine.errors import NrxError


class Played:
    """Stands where jobs run: keeps the requests, and makes returns with nothing but a master."""

    def __init__(self, folder: Path, fails: str | None = None) -> None:
        self.requests: list[Request] = []
        self.folder, self.fails = folder, fails

    def __call__(
        self, request: Request, _settings: Any, out: Path | None, *, quiet: bool = False
    ) -> Manifest:
        self.requests.append(request)
        if self.fails is not None and request.prompt == self.fails:
            raise NrxError("input.not_music", "That cannot be played.")
        folder = (out or self.folder) / f"take {len(self.requests)}"
        folder.mkdir(parents=True)
        (folder / "master.wav").write_bytes(f"RIFF {len(self.requests)}".encode())
        track = {
            "name": "Master", "role": "master", "kind": "master", "file": "master.wav", "start_s": 0,
            "start_frame": 0, "frames": 1, "sample_rate": 44100, "channels": 2, "subtype": "PCM_24",
            "colour": "#ffffff", "gain_db": 0.0, "muted": True,
        }  # fmt: skip
        return Manifest.model_validate(
            {
                "nrx_version": "0",
                "action": "generate",
                "id": "x",
                "folder": str(folder),
                "created_utc": "2026-01-01T00:00:00+00:00",
                "request": {},
                "tracks": [track],
            }
        )


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    standin = Played(tmp_path / "returns", fails="mud")
    monkeypatch.setattr("bridge.doors.cli.runner.run_one", standin)
    return standin


def nrx_generate(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(command, list(arguments), input=typed)


def test_every_flag_is_in_the_request(played: Played) -> None:
    done = nrx_generate(
        "dark techno", "--backend", "musicgen", "--device", "cpu", "--mood", "cold", "--guidance", "4.5",
        "--temperature", "0.8", "--top-k", "100", "--top-p", "0.9", "--beams", "4", "--length-penalty", "1.5",
        "--early-stopping", "--tries", "2", "--seed", "7", "--separator", "spectral",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (request,) = played.requests
    assert (request.generator, request.device, request.separator) == ("musicgen", "cpu", "spectral")
    assert request.generation.model_dump() == {
        "guidance": 4.5, "temperature": 0.8, "top_k": 100, "top_p": 0.9, "beams": 4, "length_penalty": 1.5,
        "early_stopping": True, "mood": "cold", "tries": 2, "ahead": 0, "before": 0,
    }  # fmt: skip
    assert request.seed == 7


def test_several_takes_have_seeds_in_a_row_and_tell_how_many_follow(played: Played, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    assert nrx_generate("--like", str(song), "-n", "3", "--seed", "4").exit_code == 0
    assert [request.seed for request in played.requests] == [4, 5, 6]
    assert [request.generation.ahead for request in played.requests] == [2, 1, 0]
    assert [request.generation.before for request in played.requests] == [0, 1, 2]
    assert all(request.inputs[0].path == str(song) for request in played.requests)


@pytest.mark.parametrize(
    ("flag", "value", "field"),
    [
        ("--guidance", "99", "guidance"),
        ("--top-p", "0", "top_p"),
        ("--beams", "1.5", "beams"),
        ("--tries", "x", "tries"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name_before_anything_runs(
    played: Played, flag: str, value: str, field: str
) -> None:
    done = nrx_generate("techno", flag, value)
    assert isinstance(done.exception, NrxError)
    assert done.exception.code == "request.invalid"
    assert field in done.exception.sentence
    assert not played.requests


def test_the_master_is_copied_where_a_wav_was_asked_for(played: Played, tmp_path: Path) -> None:
    assert nrx_generate("techno", "--out", str(tmp_path / "new" / "techno.wav")).exit_code == 0
    assert (tmp_path / "new" / "techno.wav").read_bytes() == b"RIFF 1"
    assert nrx_generate("techno", "-n", "2", "--out", str(tmp_path / "t.wav")).exit_code == 0
    assert [(tmp_path / f"t-{n}.wav").read_bytes() for n in (1, 2)] == [b"RIFF 2", b"RIFF 3"]


def test_a_file_that_is_there_is_never_overwritten(played: Played, tmp_path: Path) -> None:
    there = tmp_path / "techno.wav"
    there.write_bytes(b"mine")
    done = nrx_generate("techno", "--out", str(there))
    assert isinstance(done.exception, NrxError)
    assert done.exception.code == "output.exists"
    assert not played.requests
    manifest = played(Request(action="generate"), None, None)
    with pytest.raises(NrxError, match="already there"):  # it came while the job ran
        copy_master(manifest, there)
    assert there.read_bytes() == b"mine"


def test_a_folder_is_a_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "takes.wav"
    folder.mkdir()
    assert as_file(folder) is None
    assert as_file(tmp_path / "ideas") is None
    assert as_file(tmp_path / "idea.WAV") == tmp_path / "idea.WAV"


def test_a_conversation_plays_line_after_line(played: Played) -> None:
    typed = (
        "dark techno, 128 bpm\n:again\n:duration 12\n:key F# minor\n:again\nsad piano\n:key\nmore\n\nnever\n"
    )
    done = nrx_generate("--interactive", typed=typed)
    assert done.exit_code == 0, done.output
    said = [(r.prompt, r.seed, r.duration_s, r.key) for r in played.requests]
    assert said == [
        ("dark techno, 128 bpm", 0, None, None),
        ("dark techno, 128 bpm", 1, None, None),
        ("dark techno, 128 bpm", 2, 12.0, "F# minor"),
        ("sad piano", 2, 12.0, "F# minor"),
        ("more", 2, 12.0, None),
    ]


def test_a_conversation_goes_on_after_what_is_wrong(played: Played) -> None:
    typed = ":again\n:foo 3\n:seed x\n:bpm 9000\ntechno\n:bpm\nmud\ntechno\n:settings\n:help\n:quit\n"
    done = nrx_generate("-i", "--style", "edm", typed=typed)
    assert done.exit_code == 0, done.output
    assert [request.prompt for request in played.requests] == ["mud", "techno"]
    for words in (
        "Nothing has been played yet",
        "There is no :foo",
        "seed 'x'",
        "bpm 9000",
        "cannot be played",
    ):
        assert words in done.output
    assert "style edm" in done.output


def test_the_end_of_the_input_ends_a_conversation(played: Played) -> None:
    assert nrx_generate("-i", typed="techno\n").exit_code == 0
    assert len(played.requests) == 1


def test_a_file_of_another_format_is_refused_and_no_folder_is_made_of_its_name(tmp_path: Path) -> None:
    out = tmp_path / "techno.mp3"
    done = CliRunner().invoke(command, ["techno", "--duration", "2", "--out", str(out)])
    assert getattr(done.exception, "code", "") == "request.invalid"
    assert not out.exists()
