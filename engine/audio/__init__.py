"""Sound in and out of memory: read, probe, write, resample, check. Names load when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.audio.buffer import Audio, Samples

if TYPE_CHECKING:
    from engine.audio.channels import downmix_coefficients, to_stereo
    from engine.audio.checks import MIN_DURATION_S, check_musical
    from engine.audio.envelopes import Envelope, envelope
    from engine.audio.info import AudioInfo, Limits, best_subtype
    from engine.audio.probing import probe
    from engine.audio.read import read_audio, read_blocks
    from engine.audio.resampling import resample
    from engine.audio.wav_writer import Description, WavWriter, Written, write_wav

__all__ = [
    "MIN_DURATION_S",
    "Audio",
    "AudioInfo",
    "Description",
    "Envelope",
    "Limits",
    "Samples",
    "WavWriter",
    "Written",
    "best_subtype",
    "check_musical",
    "downmix_coefficients",
    "envelope",
    "probe",
    "read_audio",
    "read_blocks",
    "resample",
    "to_stereo",
    "write_wav",
]

# No module here may be called like a name that it gives: importing it would put the module in the name's place.
_HOMES = {
    "MIN_DURATION_S": "checks",
    "AudioInfo": "info",
    "Description": "wav_writer",
    "Envelope": "envelopes",
    "Limits": "info",
    "WavWriter": "wav_writer",
    "Written": "wav_writer",
    "best_subtype": "info",
    "check_musical": "checks",
    "downmix_coefficients": "channels",
    "envelope": "envelopes",
    "probe": "probing",
    "read_audio": "read",
    "read_blocks": "read",
    "resample": "resampling",
    "to_stereo": "channels",
    "write_wav": "wav_writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
