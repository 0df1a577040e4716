"""The overview picture: sound where there is sound, nothing where there is none, labels that do not overlap."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bridge.returns import overview
from bridge.returns.chord_names import chord_colour, chord_name, merged_chords
from bridge.returns.lettering import fitted, lettering, width
from bridge.returns.overview import OverviewTrack, draw_overview
from engine.analysis.model import Chord, Section
from engine.audio import Audio, envelope

RATE = 8_000
RED, GREEN = "#ff2020", "#20ff20"


def tone(seconds: float, level: float = 0.5, sounding: tuple[float, float] | None = None) -> Audio:
    time_s = np.arange(int(seconds * RATE)) / RATE
    samples = level * np.sin(2 * np.pi * 110 * time_s)
    if sounding is not None:
        samples[(time_s < sounding[0]) | (time_s >= sounding[1])] = 0
    return Audio(np.stack([samples, samples]).astype(np.float32), RATE)


def track(audio: Audio, colour: str = RED, *, muted: bool = False, start_s: float = 0.0) -> OverviewTrack:
    return OverviewTrack("A track", "drums", colour, envelope(audio, 800), start_s, -14.0, muted)


def pixels(data: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int16)


def redness(picture: NDArray[np.int16]) -> NDArray[np.int16]:
    excess: NDArray[np.int16] = picture[..., 0] - np.maximum(picture[..., 1], picture[..., 2])
    return excess


def axis_share(share: float) -> int:
    left, right = overview.MARGIN + overview.LABELS_WIDTH, overview.WIDTH - overview.MARGIN
    return round(left + share * (right - left))


def test_the_picture_is_a_png_of_the_stated_width_and_is_written_as_returned(tmp_path: Path) -> None:
    data = draw_overview(tmp_path / "overview.png", [track(tone(4))], bars_s=[0, 2], title="A song")
    assert (tmp_path / "overview.png").read_bytes() == data
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", data[16:20])[0] == overview.WIDTH


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (draw_overview(None, [track(tone(4))], bars_s=[0, 2], title="A song") for _ in range(2))
    assert first == second


def test_waveform_is_painted_where_there_is_sound_and_only_there() -> None:
    picture = pixels(draw_overview(None, [track(tone(8, sounding=(2.0, 4.0)))], bars_s=[]))
    columns = (redness(picture) > 60).sum(axis=0)
    inside = columns[axis_share(0.26) : axis_share(0.49)]
    assert inside.min() > 20
    assert columns[axis_share(0) : axis_share(0.245)].max() == 0
    assert columns[axis_share(0.505) : axis_share(1)].max() == 0


def test_a_silent_track_paints_nothing() -> None:
    silent = pixels(draw_overview(None, [track(tone(8, level=0))], bars_s=[]))
    assert (redness(silent)[:, axis_share(0) :] > 10).sum() == 0


def test_louder_is_taller_on_the_common_scale() -> None:
    both = [track(tone(4, 0.8)), track(tone(4, 0.08), GREEN)]
    picture = pixels(draw_overview(None, both, bars_s=[]))
    column = picture[:, axis_share(0.5)]
    red = int((column[:, 0] - column[:, 2] > 60).sum())
    green = int(((column[:, 1] - column[:, 2] > 60) & (column[:, 0] - column[:, 2] < 60)).sum())
    assert green == pytest.approx(red * 0.1**0.6, abs=6)


def test_a_track_stands_where_it_starts() -> None:
    tracks = [track(tone(8), GREEN), track(tone(2), RED, start_s=4.0)]
    columns = (redness(pixels(draw_overview(None, tracks, bars_s=[]))) > 60).sum(axis=0)
    painted = np.flatnonzero(columns[axis_share(0) :]) + axis_share(0)
    assert painted[0] == pytest.approx(axis_share(0.5), abs=2)
    assert painted[-1] == pytest.approx(axis_share(0.75), abs=2)


def test_muted_tracks_are_dimmer() -> None:
    bright, dim = (
        redness(pixels(draw_overview(None, [track(tone(4), muted=muted)], bars_s=[])))[
            :, axis_share(0) :
        ].max()
        for muted in (False, True)
    )
    assert 30 < dim < 0.6 * bright


def test_bar_lines_stand_at_the_bars() -> None:
    picture = pixels(
        draw_overview(None, [track(tone(8, level=0))], bars_s=[0.5, 2.5, 4.5, 6.5], beats_per_bar=1)
    )
    row = picture[-80].sum(axis=1)
    lines = [axis_share(second / 8) for second in (0.5, 2.5, 4.5, 6.5)]
    assert all(row[x] > row[x + 4] and row[x] > row[x - 4] for x in lines)


def test_sections_and_chords_are_bands_of_their_colours() -> None:
    sections = [Section(0, 4, "A", 1.0), Section(4, 8, "B", 1.0)]
    chords = [Chord(0, 4, "C:maj"), Chord(4, 6, "A:min"), Chord(6, 8, "N")]
    picture = pixels(draw_overview(None, [track(tone(8))], bars_s=[0], chords=chords, sections=sections))
    bands = picture[overview.HEADER_HEIGHT + 16 + 4]
    assert bands[axis_share(0.4), 2] > bands[axis_share(0.4), 0]  # the first label is blue
    assert bands[axis_share(0.6), 0] > bands[axis_share(0.6), 2]  # the second orange
    chord_row = picture[overview.HEADER_HEIGHT + 16 + overview.SECTIONS_HEIGHT + overview.GAP + 3]
    assert not np.array_equal(chord_row[axis_share(0.2)], chord_row[axis_share(0.6)])
    assert np.array_equal(chord_row[axis_share(0.9)], overview.BACKGROUND)


@pytest.mark.parametrize("count", [2, 16, 70, 150, 1_000])
def test_texts_never_overlap(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    boxes: list[tuple[float, float, float, float]] = []
    write, write_upwards = overview._Pen.write, overview._Pen.write_upwards

    def note(
        pen: overview._Pen,
        x: float,
        middle: float,
        text: str,
        size: int,
        colour: overview.Colour,
        anchor: str = "l",
    ) -> None:
        wide = width(text, size)
        left = x - {"l": 0.0, "m": wide / 2, "r": wide}[anchor]
        boxes.append((left, middle - size / 3, left + wide, middle + size / 3))
        write(pen, x, middle, text, size, colour, anchor)

    def note_upwards(
        pen: overview._Pen, x: float, middle: float, text: str, size: int, colour: overview.Colour
    ) -> None:
        long = width(text, size)
        boxes.append((x - size / 3, middle - long / 2, x + size / 3, middle + long / 2))
        write_upwards(pen, x, middle, text, size, colour)

    monkeypatch.setattr(overview._Pen, "write", note)
    monkeypatch.setattr(overview._Pen, "write_upwards", note_upwards)
    labels = ("C:maj7", "F#:hdim7", "Bb:min", "G:7/3")
    step = 120 / count
    draw_overview(
        None,
        [track(tone(120)), track(tone(120), muted=True)],
        bars_s=list(np.arange(count) * step),
        chords=[Chord(i * step, (i + 1) * step, labels[i % 4]) for i in range(count)],
        sections=[Section(i * step, (i + 1) * step, "ABC"[i % 3], 0.5) for i in range(count)],
        title="A title that is far too long for one line " * 8,
        subtitle="And a subtitle",
    )
    corners = np.array(boxes)
    assert len(corners) > 8
    left, top, right, bottom = corners.T
    overlaps = (
        (left[:, None] < right) & (left < right[:, None]) & (top[:, None] < bottom) & (top < bottom[:, None])
    )
    assert np.array_equal(overlaps, np.eye(len(corners), dtype=bool))
    assert left.min() >= 0
    assert right.max() <= overview.WIDTH


def test_many_tracks_and_none_have_a_picture() -> None:
    short = tone(1)
    heights = [
        pixels(draw_overview(None, [track(short)] * count, bars_s=[])).shape[0] for count in (0, 1, 8, 30)
    ]
    assert heights == sorted(set(heights))
    assert heights[-1] < 2_400


def test_an_hour_of_bars_can_be_drawn() -> None:
    audio = envelope(tone(60), 2_000)
    hour = OverviewTrack("Hour", "mix", RED, type(audio)(audio.lowest, audio.highest, audio.rms, 3_600.0))
    picture = draw_overview(None, [hour] * 8, bars_s=list(np.arange(0, 3_600, 1.5)))
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("E:min", "Em"),
        ("C:maj", "C"),
        ("C", "C"),
        ("G:7", "G7"),
        ("F#:min7", "F#m7"),
        ("B:hdim7", "Bm7b5"),
        ("C:maj/3", "C/E"),
        ("Bb:maj/5", "Bb/F"),
        ("E:min7/b3", "Em7/G"),
        ("C:maj(9)", "C"),
        ("N", ""),
        ("X", ""),
        ("", ""),
    ],
)
def test_chords_are_named_as_musicians_write_them(label: str, name: str) -> None:
    assert chord_name(label) == name


def test_each_root_has_its_own_colour_and_no_chord_none() -> None:
    roots = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    colours = {chord_colour(f"{root}:{quality}") for root in roots for quality in ("maj", "min")}
    assert len(colours) == 24
    assert chord_colour("Db:maj") == chord_colour("C#:maj")
    assert chord_colour("N") is None


def test_equal_neighbours_are_one_chord() -> None:
    chords = [Chord(0, 1, "C:maj"), Chord(1, 2, "C:maj"), Chord(2, 3, "G:maj"), Chord(4, 5, "G:maj")]
    spans = [(chord.start_s, chord.end_s) for chord in merged_chords(chords)]
    assert spans == [(0, 2), (2, 3), (4, 5)]


def test_texts_that_no_font_shows_lose_their_accents_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from bridge.returns import lettering as module

    monkeypatch.setattr(module, "_SYSTEM_FONTS", ())
    lettering.cache_clear()
    assert lettering("Café – Größe “Ørsted”", 20)[0] == 'Cafe - Grosse "Orsted"'
    assert lettering("Live 絆ふぉー 2", 20)[0] == "Live ? 2"
    lettering.cache_clear()


def test_long_names_end_in_an_ellipsis_that_fits() -> None:
    short = fitted("A very long name of a track indeed", 21, 150)
    assert short.endswith("…")
    assert width(short, 21) <= 150
    assert fitted("Short", 21, 150) == "Short"
