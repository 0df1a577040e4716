"""Voices from outside: a SoundFont file or a VST3 instrument, named in a style by path.

`soundfont:/path/to/file.sf2#bank:program` (bank and program may be left out) plays through FluidSynth
(pyfluidsynth) or tinysoundfont, whichever is installed; `vst3:/path/to/instrument.vst3` through pedalboard.
Neither is needed for anything else. A tuning away from A4 = 440 Hz is a pitch bend held throughout, which
takes the range of two semitones that General MIDI gives a new instrument.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio.buffer import Samples
from engine.errors import NrxError
from engine.generation.arranger.voices.player import TimedNote
from engine.progress import SILENT, Monitor

_SOUNDFONT, _VST3 = "soundfont:", "vst3:"
_BLOCK_S = 2.0
_DRUM_CHANNEL = 9
_FLUIDSYNTH_GAIN = 1.0
_BEND_PER_CENT = 8192 / 200  # of the wheel, each way from its centre


def is_external(voice: str) -> bool:
    """Say whether a voice name means a file outside the product."""
    return voice.startswith((_SOUNDFONT, _VST3))


def play_external(
    voice: str,
    notes: Sequence[TimedNote],
    is_drums: bool,
    sample_rate: int,
    length_frames: int,
    monitor: Monitor = SILENT,
    tuning_cents: float = 0.0,
) -> Samples:
    """Return `notes` played by a SoundFont or a VST3 instrument, shape (2, length_frames).

    `tuning_cents` (-100 to 100) bends all but drums.

    Raises:
        NrxError: "backend.missing" if the file, the library that plays it, or the plug-in is not there;
            "preset.invalid" if the name cannot be understood.
    """
    kept = [note for note in notes if note.end_s > 0 and note.start_s * sample_rate < length_frames]
    bend = 0 if is_drums else round(tuning_cents * _BEND_PER_CENT)
    if voice.startswith(_VST3):
        return _play_vst3(Path(voice.removeprefix(_VST3)), kept, bend, sample_rate, length_frames, monitor)
    path, bank, program = parse_soundfont(voice)
    if not path.is_file():
        raise NrxError("backend.missing", f'There is no SoundFont at "{path}"; check the path in the style.')
    if importlib.util.find_spec("fluidsynth"):
        return _play_fluidsynth(
            path, bank, program, kept, is_drums, bend, sample_rate, length_frames, monitor
        )
    if importlib.util.find_spec("tinysoundfont"):
        return _play_tinysoundfont(
            path, bank, program, kept, is_drums, bend, sample_rate, length_frames, monitor
        )
    raise NrxError(
        "backend.missing",
        "A SoundFont voice needs FluidSynth: install the fluidsynth library of your system and then "
        "`pip install pyfluidsynth`.",
    )


def parse_soundfont(voice: str) -> tuple[Path, int, int]:
    """Split "soundfont:/path.sf2#bank:program" into its path, bank and program (0 where not given).

    Raises:
        NrxError: "preset.invalid" if bank or program is not a number in range.
    """
    path, _, preset = voice.removeprefix(_SOUNDFONT).partition("#")
    bank_text, _, program_text = preset.rpartition(":")
    try:
        bank, program = int(bank_text or 0), int(program_text or 0)
    except ValueError:
        bank, program = -1, -1
    if not path or not 0 <= bank <= 16383 or not 0 <= program <= 127:
        raise NrxError(
            "preset.invalid",
            f'"{voice}" must be written soundfont:PATH#BANK:PROGRAM, with bank 0 to 16383 and '
            "program 0 to 127.",
        )
    return Path(path).expanduser(), bank, program


def _timeline(notes: Sequence[TimedNote], sample_rate: int) -> list[tuple[int, bool, int, int]]:
    """Return (frame, is note-on, pitch, velocity) in order; note-offs come before note-ons of the same frame."""
    events = []
    for note in notes:
        start = max(0, round(note.start_s * sample_rate))
        end = max(start + 1, round(note.end_s * sample_rate))
        pitch = min(127, max(0, note.pitch))
        events.append((start, True, pitch, min(127, max(1, note.velocity))))
        events.append((end, False, pitch, 0))
    return sorted(events)


class _Stepper:
    """Walks over the timeline, asking for sound between events; shared by the SoundFont players."""

    def __init__(self, length_frames: int, sample_rate: int, monitor: Monitor) -> None:
        self.out = np.zeros((2, length_frames), dtype=np.float32)
        self._place, self._most, self._monitor = 0, int(_BLOCK_S * sample_rate), monitor

    def advance(self, frame: int, generate: Any) -> None:
        """Fill up to `frame` with what `generate(count)` returns, an array of shape (2, count)."""
        frame = min(frame, self.out.shape[1])
        while self._place < frame:
            count = min(frame - self._place, self._most)
            self.out[:, self._place : self._place + count] = generate(count)
            self._place += count
            self._monitor.report(self._place / max(1, self.out.shape[1]))


def _play_fluidsynth(
    path: Path,
    bank: int,
    program: int,
    notes: Sequence[TimedNote],
    is_drums: bool,
    bend: int,
    sample_rate: int,
    length_frames: int,
    monitor: Monitor,
) -> Samples:
    try:
        fluidsynth = importlib.import_module("fluidsynth")
    except (ImportError, OSError) as error:
        raise NrxError(
            "backend.missing",
            "pyfluidsynth is installed but the FluidSynth library is not; install fluidsynth with the "
            "package manager of your system.",
        ) from error
    synth = fluidsynth.Synth(gain=_FLUIDSYNTH_GAIN, samplerate=float(sample_rate))
    try:
        font = synth.sfload(str(path))
        if font < 0:
            raise NrxError("backend.missing", f'"{path}" could not be read as a SoundFont.')
        channel = _DRUM_CHANNEL if is_drums else 0
        if synth.program_select(channel, font, 128 if is_drums and bank == 0 else bank, program) != 0:
            raise NrxError("preset.invalid", f'"{path}" has no preset {bank}:{program}.')
        if bend:
            synth.pitch_bend(channel, bend)

        def generate(count: int) -> Samples:
            block = np.asarray(synth.get_samples(count), dtype=np.float32).reshape(-1, 2).T
            return block / np.float32(32768)

        stepper = _Stepper(length_frames, sample_rate, monitor)
        for frame, is_on, pitch, velocity in _timeline(notes, sample_rate):
            stepper.advance(frame, generate)
            if is_on:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
        stepper.advance(length_frames, generate)
        return stepper.out
    finally:
        synth.delete()


def _play_tinysoundfont(
    path: Path,
    bank: int,
    program: int,
    notes: Sequence[TimedNote],
    is_drums: bool,
    bend: int,
    sample_rate: int,
    length_frames: int,
    monitor: Monitor,
) -> Samples:
    tinysoundfont = importlib.import_module("tinysoundfont")
    synth = tinysoundfont.Synth(samplerate=sample_rate)
    try:
        font = synth.sfload(str(path))
    except (RuntimeError, OSError) as error:
        raise NrxError("backend.missing", f'"{path}" could not be read as a SoundFont.') from error
    channel = _DRUM_CHANNEL if is_drums else 0
    try:
        synth.program_select(channel, font, bank, program, is_drums)
    except RuntimeError as error:
        raise NrxError("preset.invalid", f'"{path}" has no preset {bank}:{program}.') from error
    if bend:
        synth.pitchbend(channel, 8192 + bend)

    def generate(count: int) -> Samples:
        return np.frombuffer(bytes(synth.generate(count)), dtype=np.float32).reshape(-1, 2).T

    stepper = _Stepper(length_frames, sample_rate, monitor)
    for frame, is_on, pitch, velocity in _timeline(notes, sample_rate):
        stepper.advance(frame, generate)
        if is_on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    stepper.advance(length_frames, generate)
    return stepper.out


def _play_vst3(
    path: Path,
    notes: Sequence[TimedNote],
    bend: int,
    sample_rate: int,
    length_frames: int,
    monitor: Monitor,
) -> Samples:
    import mido
    import pedalboard

    path = path.expanduser()
    if not path.exists():
        raise NrxError(
            "backend.missing", f'There is no VST3 plug-in at "{path}"; check the path in the style.'
        )
    try:
        plugin = pedalboard.load_plugin(str(path))
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        raise NrxError(
            "backend.missing", f'The plug-in "{path}" could not be loaded: {_sentence(error)}'
        ) from error
    if not getattr(plugin, "is_instrument", False):
        raise NrxError(
            "preset.invalid", f'The plug-in "{path}" is an effect, and a voice must be an instrument.'
        )
    out = np.zeros((2, length_frames), dtype=np.float32)
    timeline = _timeline(notes, sample_rate)
    block, place, following = int(_BLOCK_S * sample_rate), 0, 0
    while place < length_frames:
        count = min(block, length_frames - place)
        messages = [mido.Message("pitchwheel", pitch=bend, time=0.0)] if bend and place == 0 else []
        while following < len(timeline) and timeline[following][0] < place + count:
            frame, is_on, pitch, velocity = timeline[following]
            kind = "note_on" if is_on else "note_off"
            message = mido.Message(kind, note=pitch, velocity=velocity, time=(frame - place) / sample_rate)
            messages.append(message)
            following += 1
        made = plugin(
            messages, duration=count / sample_rate, sample_rate=sample_rate, num_channels=2, reset=place == 0
        )
        heard = np.asarray(made, dtype=np.float32)[:, :count]
        out[:, place : place + heard.shape[1]] = heard
        place += count
        monitor.report(place / length_frames)
    return out


def _sentence(error: BaseException) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return first if first.endswith(".") else f"{first}."
