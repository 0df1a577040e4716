"""The demo's song: half a minute of pop that the built-in instruments play, so that there is something to remix.

The song has a form (verse, chorus), a chord progression, drums, bass, keys, and a sung-like melody in the middle of the
stereo image, as a voice would be. It is the same for everybody, made once, and kept.
"""

import os
from pathlib import Path

from engine.actions.perform import console_of, render_parts, to_mix
from engine.actions.timeline import map_of
from engine.audio import write_wav
from engine.generation.arranger import arrange, invent_song
from engine.mixing import mix
from engine.presets import load_style
from engine.progress import SILENT

NAME = "demo song.wav"
STYLE, KEY, BPM, DURATION_S, SEED, RATE = "synthwave", "E minor", 104.0, 32.0, 7, 44100


def make_song(folder: Path) -> Path:
    """Return the demo's song in `folder`, made now if it is not there."""
    file = folder / NAME
    if file.is_file():
        return file
    style = load_style(STYLE)
    analysis = invent_song(style, key=KEY, bpm=BPM, duration_s=DURATION_S, seed=SEED)
    timeline = map_of(analysis, None)
    arrangement = arrange(analysis, timeline, timeline, style, seed=SEED, keep=frozenset())
    rendered = render_parts(arrangement, timeline, RATE, round(analysis.duration_s * RATE), 1.0, SILENT)
    song = mix(to_mix(arrangement, rendered), console_of(style, 1.0)[0]).mix
    folder.mkdir(parents=True, exist_ok=True)
    making = folder / f".making-{os.getpid()}.wav"
    making.unlink(missing_ok=True)
    write_wav(making, song, "PCM_16", dither=True)
    making.replace(file)
    return file
