"""Balance stems into a mix: levels by the loudness of their roles, room under the voice, one sane peak."""

from engine.actions.finish import finite, loudness_of, sum_track
from engine.actions.model import Outcome, OutputTrack, Song
from engine.actions.palette import ROLE_COLOURS
from engine.actions.source import read_at_one_rate
from engine.mixing import MixSettings, MixTrack, guess_role, mix
from engine.mixing.roles import ROLES
from engine.stages import Stages

PLAN = (("read", 0.35), ("mix", 0.65))
BYTES_PER_FRAME_AND_STEM = 26.0


def mix_stems(song: Song, stages: Stages) -> Outcome:
    """Mix the files of `song`; roles that were not given are guessed from the files' names."""
    with stages.stage("read") as monitor:
        audio = read_at_one_rate(song, monitor)
    tracks: dict[str, MixTrack] = {}
    for source, sound in zip(song.sources, audio, strict=True):
        name, count = source.path.stem, 1
        while name in tracks:
            count += 1
            name = f"{source.path.stem} ({count})"
        tracks[name] = MixTrack(sound, source.role or guess_role(source.path.stem))
    with stages.stage("mix") as monitor:
        done = mix(tracks, MixSettings(), monitor)
    loudness = loudness_of(done.mix)
    longest = max(sound.frames for sound in audio)
    rate = done.mix.sample_rate
    return Outcome(
        tracks=(
            *(
                OutputTrack(
                    name=name,
                    role=tracks[name].role,
                    kind="fitted",
                    colour=ROLE_COLOURS.get(ROLES[tracks[name].role].family, ROLE_COLOURS["other"]),
                    audio=track.audio,
                    gain_db=track.gain_db,
                    pan=track.pan,
                    loudness_lufs=finite(track.loudness_lufs),
                    part=name,
                )
                for name, track in done.tracks.items()
            ),
            sum_track("mix", done.mix, loudness),
        ),
        sample_rate=rate,
        duration_s=longest / rate,
        length_s=longest / rate,
        loudness={"mix": loudness},
        notes=(*song.notes, *done.warnings),
    )
