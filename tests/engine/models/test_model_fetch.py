"""Fetching models from a hub: resumed, verified, published whole; and never trusted otherwise."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import Cancelled, NrxError
from engine.models import CATALOGUE, ModelStore
from engine.models.fetch import Fetching, fetch
from engine.progress import Monitor
from tests.hub_server import COMMIT, Hub, serving

WEIGHTS = bytes(range(256)) * 12_000  # 3 MB
FILES = {"htdemucs.yaml": b"models: ['955717e8']\n", "955717e8.safetensors": WEIGHTS, "README.md": b"read me"}
BIG = "955717e8.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-torch"))
    with serving(Hub({"adefossez/HTDemucs": dict(FILES)}, large=frozenset({BIG}))) as served:
        yield served


@pytest.fixture
def store(hub: Hub, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "Modelle ü", hub=hub.url)


def leftovers(store: ModelStore) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if path.name.startswith("."))


def test_fetched_model_has_the_hubs_bytes_and_is_recorded(store: ModelStore) -> None:
    told: list[tuple[int, int]] = []
    installed = fetch("htdemucs", Fetching(store, on_bytes=lambda here, whole: told.append((here, whole))))
    assert {path.name for path in installed.folder.iterdir()} == {"htdemucs.yaml", BIG, "nrx-model.json"}
    assert (installed.folder / BIG).read_bytes() == WEIGHTS
    assert installed.revision == COMMIT
    assert told[-1] == (len(WEIGHTS) + len(FILES["htdemucs.yaml"]),) * 2
    found = store.find("htdemucs")
    assert found == installed
    assert store.find("adefossez/HTDemucs") == installed
    assert store.verify("htdemucs") == installed
    assert leftovers(store) == []


def test_only_the_files_that_are_needed_are_fetched(store: ModelStore, hub: Hub) -> None:
    fetch("htdemucs", Fetching(store))
    assert not any(path.endswith("README.md") for _, path, _ in hub.asked)


def test_a_model_that_is_there_is_not_fetched_again(store: ModelStore, hub: Hub) -> None:
    fetch("htdemucs", Fetching(store))
    hub.asked.clear()
    fetch("htdemucs", Fetching(store))
    assert hub.asked == []
    fetch("htdemucs", Fetching(store, anew=True))
    assert hub.bodies_of(BIG) == [None]


def test_broken_connections_are_taken_up_where_they_broke(store: ModelStore, hub: Hub) -> None:
    hub.cut_after[BIG] = [1_000_000, 500_000]
    installed = fetch("htdemucs", Fetching(store))
    assert (installed.folder / BIG).read_bytes() == WEIGHTS
    first, *others = hub.bodies_of(BIG)
    assert first is None
    starts = [int(str(span).removeprefix("bytes=").rstrip("-")) for span in others]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_000_000
    assert starts[0] < starts[1] <= 1_500_000


def test_a_server_without_ranges_is_started_over(store: ModelStore, hub: Hub) -> None:
    hub.cut_after[BIG] = [1_000_000]
    hub.ranges = False
    installed = fetch("htdemucs", Fetching(store))
    assert (installed.folder / BIG).read_bytes() == WEIGHTS


def test_a_server_that_is_busy_for_a_moment_is_asked_again(store: ModelStore, hub: Hub) -> None:
    hub.statuses[BIG] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.download.time.sleep", lambda _s: None)
        fetch_once = hub.asked
        hub.cut_after[BIG] = [0, 0]
        fetch("htdemucs", Fetching(store))
    assert len(hub.bodies_of(BIG)) == 3
    assert fetch_once


def test_a_server_that_gives_nothing_is_given_up_with_what_to_do(store: ModelStore, hub: Hub) -> None:
    hub.cut_after[BIG] = [0] * 50
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.download.time.sleep", lambda _s: None)
        with pytest.raises(NrxError, match="goes on from it") as caught:
            fetch("htdemucs", Fetching(replace(store, hub=hub.url)))
    assert caught.value.code == "model.download"
    assert store.find("htdemucs") is None


def test_wrong_bytes_are_thrown_away_and_never_published(store: ModelStore, hub: Hub) -> None:
    hub.served[BIG] = bytes(len(WEIGHTS))
    with pytest.raises(NrxError, match="hash") as caught:
        fetch("htdemucs", Fetching(store))
    assert caught.value.code == "model.damaged"
    assert hub.bodies_of(BIG) == [None, None], "tried once more from the start"
    assert store.find("htdemucs") is None
    del hub.served[BIG]
    assert fetch("htdemucs", Fetching(store)).revision == COMMIT


@pytest.mark.parametrize("length", [1, len(WEIGHTS) - 1, len(WEIGHTS) + 7])
def test_files_of_another_length_are_never_published(store: ModelStore, hub: Hub, length: int) -> None:
    hub.served[BIG] = (WEIGHTS + b"tail of it")[:length]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.download.time.sleep", lambda _s: None)
        with pytest.raises(NrxError):
            fetch("htdemucs", Fetching(store))
    assert store.find("htdemucs") is None


def test_wrong_small_files_are_found_by_gits_hash(store: ModelStore, hub: Hub) -> None:
    hub.served["htdemucs.yaml"] = b"models: ['deadbeef']\n"
    with pytest.raises(NrxError, match="hash"):
        fetch("htdemucs", Fetching(store))


def test_a_stray_part_of_another_file_is_found_by_its_hash(store: ModelStore, hub: Hub) -> None:
    part = store.root / ".fetching-htdemucs" / COMMIT / f"{BIG}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"\xff" * 1_000_000)
    installed = fetch("htdemucs", Fetching(store))
    assert (installed.folder / BIG).read_bytes() == WEIGHTS
    assert hub.bodies_of(BIG) == ["bytes=1000000-", None]


def test_offline_never_touches_the_network(store: ModelStore, hub: Hub) -> None:
    offline = replace(store, offline=True)
    with pytest.raises(NrxError, match="offline") as caught:
        fetch("htdemucs", Fetching(offline))
    assert caught.value.code == "model.offline"
    assert offline.find("htdemucs") is None
    assert hub.asked == []


def test_finding_and_verifying_touch_no_network(store: ModelStore, hub: Hub) -> None:
    fetch("htdemucs", Fetching(store))
    hub.asked.clear()
    store.find("htdemucs")
    store.verify("htdemucs")
    list(store.installed())
    assert hub.asked == []


def test_an_unreachable_hub_is_said_in_a_sentence(store: ModelStore) -> None:
    with pytest.raises(NrxError, match="does not answer") as caught:
        fetch("musicgen-small", Fetching(replace(store, hub="http://127.0.0.1:9")))
    assert caught.value.code == "model.download"


def test_only_https_is_fetched_from_elsewhere(store: ModelStore) -> None:
    with pytest.raises(NrxError, match="https"):
        fetch("musicgen-small", Fetching(replace(store, hub="http://example.org")))


def test_a_repository_without_a_needed_file_is_refused_before_anything_is_fetched(
    store: ModelStore, hub: Hub
) -> None:
    hub.repos["facebook/musicgen-small"] = {"config.json": b"{}"}
    with pytest.raises(NrxError, match=r"generation_config\.json"):
        fetch("musicgen-small", Fetching(store))
    assert not any("/bytes/" in path for _, path, _ in hub.asked)


def test_names_that_lead_out_of_the_folder_are_not_taken(store: ModelStore, hub: Hub) -> None:
    card = replace(CATALOGUE["htdemucs"], files=("*",))
    from engine.models.hub import _wanted

    assert _wanted(card, ["../../evil", "..\\evil", ".hidden", "a/b", "good.json"]) == ["good.json"]


def test_a_new_revision_replaces_the_old_one_whole(store: ModelStore, hub: Hub) -> None:
    fetch("htdemucs", Fetching(store))
    hub.commit = "beef" + "0" * 36
    hub.repos["adefossez/HTDemucs"][BIG] = WEIGHTS[::-1]
    installed = fetch("htdemucs", Fetching(store, anew=True))
    assert installed.revision == hub.commit
    assert (installed.folder / BIG).read_bytes() == WEIGHTS[::-1]
    assert leftovers(store) == []


def test_a_cancelled_fetch_is_resumed(store: ModelStore, hub: Hub) -> None:
    enough = threading.Event()

    def told(here: int, _whole: int) -> None:
        if here > 1_000_000:
            enough.set()

    with pytest.raises(Cancelled):
        fetch("htdemucs", Fetching(store, monitor=Monitor(is_cancelled=enough.is_set), on_bytes=told))
    assert store.find("htdemucs") is None
    fetch("htdemucs", Fetching(store))
    resumed = hub.bodies_of(BIG)[-1]
    assert resumed is not None
    assert int(resumed.removeprefix("bytes=").rstrip("-")) >= 1_000_000


def test_a_killed_fetch_is_resumed_and_nothing_half_is_ever_seen(store: ModelStore, hub: Hub) -> None:
    hub.slow_block = threading.Event()
    script = (
        "import sys; from pathlib import Path\n"
        "from engine.models import ModelStore\n"
        "from engine.models.fetch import Fetching, fetch\n"
        "fetch('htdemucs', Fetching(ModelStore(Path(sys.argv[1]), hub=sys.argv[2])))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(store.root), hub.url])
    part = store.root / ".fetching-htdemucs" / COMMIT / f"{BIG}.part"
    deadline = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size > 1_000_000):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(NrxError, match="another nrx") as caught:
        fetch("htdemucs", Fetching(store))
    assert caught.value.code == "request.conflict"
    process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    process.wait()
    hub.slow_block.set()
    hub.slow_block = None
    assert store.find("htdemucs") is None
    installed = fetch("htdemucs", Fetching(store))
    assert (installed.folder / BIG).read_bytes() == WEIGHTS
    assert hub.bodies_of(BIG)[-1] is not None, "what the killed process had is not fetched again"
    assert leftovers(store) == []


def test_a_full_disk_is_said_before_anything_is_fetched(store: ModelStore, hub: Hub) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.fetch.shutil.disk_usage", lambda _path: usage(10, 10, 1000))
        with pytest.raises(NrxError, match="free") as caught:
            fetch("htdemucs", Fetching(store))
    assert caught.value.code == "output.disk_full"
    assert hub.bodies_of(BIG) == []


def cached_copy(home: Path, *, damaged: bool = False) -> None:
    """Lay the model down as the hub's own library caches it: blobs named by hash, snapshots that link to them."""
    import hashlib

    from tests.hub_server import blob_hash

    repo = home / "models--adefossez--HTDemucs"
    snapshot = repo / "snapshots" / COMMIT
    for folder in (snapshot, repo / "blobs", repo / "refs"):
        folder.mkdir(parents=True)
    (repo / "refs" / "main").write_text(COMMIT)
    for name in ("htdemucs.yaml", BIG):
        content = FILES[name]
        digest = hashlib.sha256(content).hexdigest() if name == BIG else blob_hash(content)
        (repo / "blobs" / digest).write_bytes(content[:-1] + b"x" if damaged and name == BIG else content)
        (snapshot / name).symlink_to(repo / "blobs" / digest)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_copy_in_the_hubs_cache_is_taken_even_offline(
    store: ModelStore, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_copy(tmp_path / "hf")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    installed = fetch("htdemucs", Fetching(replace(store, offline=True)))
    assert installed.revision == COMMIT
    assert (installed.folder / BIG).read_bytes() == WEIGHTS
    assert hub.asked == []


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_damaged_copy_in_the_hubs_cache_is_not_taken(
    store: ModelStore, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_copy(tmp_path / "hf", damaged=True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    with pytest.raises(NrxError, match="offline"):
        fetch("htdemucs", Fetching(replace(store, offline=True)))
    assert (fetch("htdemucs", Fetching(store)).folder / BIG).read_bytes() == WEIGHTS
    assert hub.asked


def test_the_record_names_model_repository_revision_and_licence(store: ModelStore) -> None:
    installed = fetch("htdemucs", Fetching(store))
    record = json.loads((installed.folder / "nrx-model.json").read_text(encoding="utf-8"))
    assert record["name"] == "htdemucs"
    assert record["repo"] == "adefossez/HTDemucs"
    assert record["revision"] == COMMIT
    assert record["licence"] == CATALOGUE["htdemucs"].licence
