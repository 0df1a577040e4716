"""Master a mix: to its loudness, at or under the true-peak ceiling."""

from engine.actions.finish import mastered
from engine.actions.model import Outcome, Song
from engine.actions.source import read_mix
from engine.audio import to_stereo
from engine.mastering import MasterSettings
from engine.stages import Stages

PLAN = (("read", 0.1), ("master", 0.9))
BYTES_PER_FRAME = 26.0


def master_song(song: Song, settings: MasterSettings, stages: Stages) -> Outcome:
    """Master `song`; the outcome has one track, and the loudness before and after."""
    with stages.stage("read") as monitor:
        mix = to_stereo(read_mix(song, monitor))
    track, before, after = mastered(mix, settings, stages)
    return Outcome(
        tracks=(track,),
        sample_rate=mix.sample_rate,
        duration_s=mix.duration_s,
        length_s=mix.duration_s,
        loudness={"source": before, "master": after},
        notes=song.notes,
    )
