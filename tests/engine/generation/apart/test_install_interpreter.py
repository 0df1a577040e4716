"""Making an interpreter: ways are tried in order, nothing counts that did not play, nothing is left of what failed."""

import sys
from pathlib import Path

import pytest

from engine.errors import Cancelled, NrxError
from engine.generation.apart import install as installing
from engine.generation.apart.install import BARE, WAYS, Way, fetch_weights, install
from engine.generation.apart.pipe import Pipe
from engine.models import ModelStore
from engine.models.interpreter import find_interpreter, python_in
from engine.progress import Monitor

STAND_IN = [sys.executable, str(Path(__file__).parent / "standin_child.py")]
CRASHES = [sys.executable, "-c", "import sys; sys.exit('it cannot be imported')"]
GOOD, BAD = Way("the good way", (("good",),)), Way("the bad way", (("bad",),))


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stand where programs are run: keep what was run, lay out an environment, fail on what is bad."""
    kept: list[list[str]] = []

    def run(command: list[str], monitor: Monitor) -> None:
        monitor.check()
        kept.append(command)
        if command[1:3] == ["-m", "venv"]:
            python = python_in(Path(command[3]))
            python.parent.mkdir(parents=True)
            python.write_text("")
            libraries = Path(command[3]) / "lib" / "torchaudio" / "lib"
            libraries.mkdir(parents=True)
            (libraries / "_torchaudio.abi3.so").write_bytes(b"compiled")
        elif "bad" in command:
            raise NrxError("model.interpreter", "No matching distribution found for av==11.0.0.")

    monkeypatch.setattr(installing, "_run", run)
    monkeypatch.setattr(installing, "NEEDS_BYTES", 0)
    return kept


def left(root: Path) -> set[str]:
    return {path.name for path in (root / "audiocraft").iterdir()}


def test_the_first_way_that_plays_is_taken_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    made = install(ModelStore(tmp_path), ways=(BAD, GOOD), command=STAND_IN, say=said.append)
    assert (made.version, made.made) == ("1.3.0", "the good way")
    assert made == find_interpreter(tmp_path)
    assert made.python.exists()
    assert any("No matching distribution found for av==11.0.0" in words for words in said)
    assert left(tmp_path) == {"venv", "hub", "nrx-interpreter.json", ".lock"}


def test_what_does_not_play_does_not_count(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="it cannot be imported") as caught:
        install(ModelStore(tmp_path), ways=(GOOD,), command=CRASHES)
    assert caught.value.code == "model.interpreter"
    assert find_interpreter(tmp_path) is None
    assert left(tmp_path) == {".lock"}


def test_one_that_is_there_is_left_alone_unless_it_is_to_be_made_anew(
    tmp_path: Path, ran: list[list[str]]
) -> None:
    store = ModelStore(tmp_path)
    first = install(store, ways=(GOOD,), command=STAND_IN)
    (first.hub / "weights").write_text("kept")
    count = len(ran)
    assert install(store, ways=(BAD,), command=CRASHES) == first
    assert len(ran) == count
    with pytest.raises(NrxError):
        install(store, anew=True, ways=(BAD,), command=STAND_IN)
    assert find_interpreter(tmp_path) == first
    again = install(store, anew=True, ways=(Way("another way", ()),), command=STAND_IN)
    assert again.made == "another way"
    assert (again.hub / "weights").read_text() == "kept"


def test_offline_nothing_is_installed_or_fetched(tmp_path: Path, ran: list[list[str]]) -> None:
    with pytest.raises(NrxError) as caught:
        install(ModelStore(tmp_path, offline=True), ways=(GOOD,), command=STAND_IN)
    assert caught.value.code == "model.offline"
    assert ran == []
    install(ModelStore(tmp_path), ways=(GOOD,), command=STAND_IN)
    with pytest.raises(NrxError) as caught:
        fetch_weights(ModelStore(tmp_path, offline=True), "facebook/musicgen-small")
    assert caught.value.code == "model.offline"


def test_a_full_disk_is_told_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ran: list[list[str]]
) -> None:
    monkeypatch.setattr(installing, "NEEDS_BYTES", 1 << 60)
    with pytest.raises(NrxError, match="free some") as caught:
        install(ModelStore(tmp_path), ways=(GOOD,), command=STAND_IN)
    assert caught.value.code == "output.disk_full"
    assert ran == []


def test_a_cancel_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        install(
            ModelStore(tmp_path), ways=(GOOD,), command=STAND_IN, monitor=Monitor(is_cancelled=lambda: True)
        )
    assert left(tmp_path) == {".lock"}


def test_its_own_versions_are_tried_first_and_torchaudio_loses_its_compiled_part_only_in_the_other_way(
    tmp_path: Path, ran: list[list[str]]
) -> None:
    assert WAYS[0].runs[0][0] == "audiocraft==1.3.0"
    made = install(ModelStore(tmp_path), ways=WAYS[:1], command=STAND_IN)
    library = made.folder / "venv" / "lib" / "torchaudio" / "lib" / "_torchaudio.abi3.so"
    assert library.exists()
    install(ModelStore(tmp_path), anew=True, ways=WAYS[1:], command=STAND_IN)
    assert not library.exists()
    assert ran[-1][-3:] == ["--no-deps", *BARE]


def test_weights_are_fetched_by_a_child_that_may_use_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    store = ModelStore(tmp_path)
    install(store, ways=(GOOD,), command=STAND_IN)
    started: list[bool] = []

    def open_pipe(interpreter: object, hub: str, *, offline: bool = True) -> Pipe:
        started.append(offline)
        return Pipe(STAND_IN, installing.variables(tmp_path, hub, offline=offline), "audiocraft")

    monkeypatch.setattr(installing, "open_pipe", open_pipe)
    assert fetch_weights(store, "facebook/musicgen-small") == "0" * 40
    assert started == [False]
    with pytest.raises(NrxError, match="commercial_only"):
        fetch_weights(ModelStore(tmp_path, commercial_only=True), "facebook/musicgen-small")
