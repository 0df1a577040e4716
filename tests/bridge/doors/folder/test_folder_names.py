"""Names: what is audio, what is junk, which folder chooses which style, what is a stem of what."""

import doctest

import pytest

from bridge.doors.folder import names
from bridge.doors.folder.names import is_audio, is_junk, stem_name, style_of_folder

STYLES = ["acoustic", "edm", "lofi_chill", "neo_soul"]


@pytest.mark.parametrize(
    "name",
    ["a.wav", "A.WAV", "söng 絆.flac", "a.b.ogg", "x.aif", "x.aiff", "x.aifc", "x.m4a", "x.opus", "x.oga"],
)
def test_audio_is_known_by_its_name(name: str) -> None:
    assert is_audio(name)


@pytest.mark.parametrize(
    "name",
    [
        "song.wav.reapeaks",
        "song.wav.asd",
        ".DS_Store",
        "._song.wav",
        ".song.wav",
        "song.wav.tmp",
        "song.wav.part",
        "song.wav.crdownload",
        "Thumbs.db",
        "~song.wav",
        "song.sync-conflict-20260101-000000-ABCDEFG.wav",
    ],
)
def test_junk_is_never_audio(name: str) -> None:
    assert is_junk(name)
    assert not is_audio(name)


@pytest.mark.parametrize("name", ["song.mid", "song.rpp", "song.nrx.json", "song", "wav", "a.txt", ""])
def test_other_files_are_not_audio(name: str) -> None:
    assert not is_audio(name)


@pytest.mark.parametrize("name", ["lofi_chill", "Lofi Chill", "LOFI-CHILL", "Lo-Fi Chill"])
def test_folder_names_are_read_generously(name: str) -> None:
    assert style_of_folder(name, STYLES) == "lofi_chill"


def test_other_folders_choose_no_style() -> None:
    assert style_of_folder("Renders", STYLES) is None


@pytest.mark.parametrize(
    ("names_of_stems", "song", "roles"),
    [
        (("Fishin - Drums.wav", "Fishin - Lead Vox.wav"), "fishin", ["drums", "vocals"]),
        (("my_song_drums.wav", "my_song_bass.wav"), "my song", ["drums", "bass"]),
        (("Song-01-Drums.wav", "Song-02-Bass.wav"), "song", ["drums", "bass"]),
        (("Track 7 Drums.wav", "Track 7 Bass.wav"), "track", ["drums", "bass"]),
        (("1_Song_(Vocals).wav", "1_Song_(Instrumental).wav"), "1 song", ["vocals", "other"]),
        (("Drums.wav", "Bass.wav"), "", ["drums", "bass"]),
        (("Song Acoustic Guitar.wav", "Song Piano.wav"), "song", ["guitar", "keys"]),
        (("Song - Drums_bip.wav", "Song - Bass 02.wav"), "song", ["drums", "bass"]),
        (("絆 - Vocals.wav", "絆 - Drums.wav"), "絆", ["vocals", "drums"]),
    ],
)
def test_stems_of_a_song_share_its_name(names_of_stems: tuple[str, ...], song: str, roles: list[str]) -> None:
    stems = [stem_name(name) for name in names_of_stems]
    assert [stem and stem.song for stem in stems] == [song] * len(stems)
    assert [stem and stem.role for stem in stems] == roles


@pytest.mark.parametrize(
    "name", ["Fishin.wav", "Going Live.wav", "Bass Drum Blues.wav", "Song 03.wav", "Song (Mix).wav", "07.wav"]
)
def test_whole_songs_are_no_stems(name: str) -> None:
    assert stem_name(name) is None


def test_examples_in_the_text_hold() -> None:
    done = doctest.testmod(names)
    assert (done.failed, done.attempted) == (0, 3)
