"""The effects that a style or a preset may name, with their parameters, defaults and allowed ranges.

This is data: importing it loads no signal processing. `engine.generation.arranger.effects.apply_effects` runs
a chain.
"""

from engine.generation.arranger.effects.parameters import EffectSpec, Number, OneOf

_WET = Number(-16.0, -60.0, 6.0)
_LOW_CUT = Number(180.0, 20.0, 2000.0)
_BEATS = Number(0.0, 0.0, 32.0)

EFFECTS: dict[str, EffectSpec] = {
    "gain": EffectSpec("level", "tone:gain", {"gain_db": Number(0.0, -60.0, 36.0)}),
    "low_pass": EffectSpec(
        "keeps what is below the cutoff",
        "tone:low_pass",
        {
            "cutoff_hz": Number(8000.0, 20.0, 96000.0),
            "slope_db": OneOf(12, (6, 12, 24, 48)),
        },
    ),
    "high_pass": EffectSpec(
        "keeps what is above the cutoff",
        "tone:high_pass",
        {
            "cutoff_hz": Number(80.0, 5.0, 20000.0),
            "slope_db": OneOf(12, (6, 12, 24, 48)),
        },
    ),
    "peak": EffectSpec(
        "bell equaliser",
        "tone:peak",
        {
            "frequency_hz": Number(1000.0, 20.0, 20000.0),
            "gain_db": Number(0.0, -24.0, 24.0),
            "q": Number(0.8, 0.1, 12.0),
        },
    ),
    "low_shelf": EffectSpec(
        "raises or lowers the lows",
        "tone:low_shelf",
        {
            "frequency_hz": Number(150.0, 20.0, 20000.0),
            "gain_db": Number(0.0, -24.0, 24.0),
        },
    ),
    "high_shelf": EffectSpec(
        "raises or lowers the highs",
        "tone:high_shelf",
        {
            "frequency_hz": Number(6000.0, 20.0, 20000.0),
            "gain_db": Number(0.0, -24.0, 24.0),
        },
    ),
    "compressor": EffectSpec(
        "evens out the dynamics",
        "dynamics:compressor",
        {
            "threshold_db": Number(-20.0, -60.0, 0.0),
            "ratio": Number(3.0, 1.0, 20.0),
            "attack_ms": Number(10.0, 0.1, 200.0),
            "release_ms": Number(120.0, 5.0, 2000.0),
            "makeup_db": Number(0.0, -12.0, 24.0),
        },
    ),
    "limiter": EffectSpec(
        "fast limiter followed by a soft ceiling",
        "dynamics:limiter",
        {
            "ceiling_db": Number(-1.0, -24.0, 0.0),
            "release_ms": Number(80.0, 5.0, 1000.0),
        },
    ),
    "sidechain": EffectSpec(
        "pump: the level dips at each kick and comes back",
        "dynamics:sidechain",
        {
            "depth_db": Number(5.0, 0.0, 24.0),
            "attack_ms": Number(4.0, 0.5, 50.0),
            "hold_beats": Number(0.08, 0.0, 2.0),
            "release_beats": Number(0.55, 0.05, 4.0),
        },
    ),
    "distortion": EffectSpec(
        "soft-clipping drive without audible aliasing",
        "drive:distortion",
        {
            "drive_db": Number(12.0, 0.0, 60.0),
            "tone_hz": Number(8000.0, 500.0, 20000.0),
            "mix": Number(1.0, 0.0, 1.0),
        },
    ),
    "tape": EffectSpec(
        "tape saturation: soft knee, head bump, gentle treble loss",
        "drive:tape",
        {
            "drive_db": Number(6.0, -12.0, 30.0),
            "bump_db": Number(1.5, 0.0, 6.0),
            "treble_hz": Number(13000.0, 2000.0, 20000.0),
        },
    ),
    "amp": EffectSpec(
        "guitar amplifier: two tube-like stages with a tone stack",
        "drive:amp",
        {
            "drive_db": Number(24.0, 0.0, 60.0),
            "bass_db": Number(0.0, -12.0, 12.0),
            "middle_db": Number(0.0, -12.0, 12.0),
            "treble_db": Number(0.0, -12.0, 12.0),
        },
    ),
    "cabinet": EffectSpec(
        "loudspeaker cabinet and microphone",
        "drive:cabinet",
        {
            "cutoff_hz": Number(5000.0, 1500.0, 12000.0),
            "body_db": Number(3.0, 0.0, 9.0),
            "presence_db": Number(3.0, -6.0, 9.0),
        },
    ),
    "bitcrush": EffectSpec(
        "fewer bits and a lower sample rate, as in early samplers",
        "drive:bitcrush",
        {
            "bits": Number(12.0, 4.0, 24.0),
            "rate_hz": Number(26040.0, 2000.0, 192000.0),
        },
    ),
    "chorus": EffectSpec(
        "doubled by slowly moving copies, different left and right",
        "modulation:chorus",
        {
            "rate_hz": Number(0.7, 0.02, 10.0),
            "depth": Number(0.2, 0.0, 1.0),
            "centre_delay_ms": Number(8.0, 1.0, 40.0),
            "feedback": Number(0.0, -0.9, 0.9),
            "mix": Number(0.4, 0.0, 1.0),
        },
    ),
    "phaser": EffectSpec(
        "notches that sweep",
        "modulation:phaser",
        {
            "rate_hz": Number(0.3, 0.02, 10.0),
            "depth": Number(0.5, 0.0, 1.0),
            "centre_hz": Number(1100.0, 100.0, 8000.0),
            "feedback": Number(0.2, -0.9, 0.9),
            "mix": Number(0.4, 0.0, 1.0),
        },
    ),
    "tremolo": EffectSpec(
        "level moves in a sine; with stereo 1 it moves from side to side",
        "modulation:tremolo",
        {
            "rate_hz": Number(5.0, 0.05, 20.0),
            "beats": _BEATS,
            "depth": Number(0.3, 0.0, 1.0),
            "stereo": Number(0.0, 0.0, 1.0),
        },
    ),
    "rotary": EffectSpec(
        "rotating loudspeaker: horn and drum with Doppler",
        "modulation:rotary",
        {
            "speed": OneOf("slow", ("slow", "fast")),
            "depth": Number(0.7, 0.0, 1.0),
        },
    ),
    "wow_flutter": EffectSpec(
        "pitch drift of a worn tape machine",
        "modulation:wow_flutter",
        {
            "wow_hz": Number(0.45, 0.05, 3.0),
            "wow_cents": Number(7.0, 0.0, 50.0),
            "flutter_hz": Number(6.0, 3.0, 20.0),
            "flutter_cents": Number(1.5, 0.0, 20.0),
        },
    ),
    "filter_sweep": EffectSpec(
        "low-pass that rises from one cutoff to the other over a period, then starts again",
        "modulation:filter_sweep",
        {
            "from_hz": Number(500.0, 40.0, 20000.0),
            "to_hz": Number(9000.0, 40.0, 20000.0),
            "period_beats": Number(32.0, 0.25, 256.0),
            "shape": OneOf("rise", ("rise", "sine")),
            "resonance": Number(0.2, 0.0, 0.9),
        },
    ),
    "width": EffectSpec(
        "stereo width, with the lows kept in the middle",
        "stereo:width",
        {
            "width": Number(1.0, 0.0, 2.0),
            "mono_below_hz": Number(0.0, 0.0, 500.0),
        },
    ),
    "delay": EffectSpec(
        "echoes in tempo (beats) or by the clock (time_s, where beats is 0)",
        "echoes:delay",
        {
            "beats": Number(0.75, 0.0, 8.0),
            "time_s": Number(0.35, 0.02, 2.0),
            "feedback": Number(0.35, 0.0, 0.9),
            "wet_db": Number(-14.0, -60.0, 6.0),
            "tone_hz": Number(4500.0, 300.0, 20000.0),
        },
        tail_s=6.0,
    ),
    "ping_pong": EffectSpec(
        "echoes in tempo that jump from side to side",
        "echoes:ping_pong",
        {
            "beats": Number(0.75, 0.0, 8.0),
            "time_s": Number(0.35, 0.02, 2.0),
            "feedback": Number(0.4, 0.0, 0.9),
            "wet_db": Number(-14.0, -60.0, 6.0),
            "tone_hz": Number(4500.0, 300.0, 20000.0),
        },
        tail_s=6.0,
    ),
    "slap": EffectSpec(
        "one short echo",
        "echoes:slap",
        {"time_ms": Number(95.0, 20.0, 250.0), "wet_db": Number(-14.0, -60.0, 6.0)},
        tail_s=0.5,
    ),
    "reverb": EffectSpec(
        "light algorithmic room, inexpensive",
        "reverbs:reverb",
        {
            "room_size": Number(0.4, 0.0, 1.0),
            "damping": Number(0.5, 0.0, 1.0),
            "width": Number(1.0, 0.0, 1.0),
            "wet_db": _WET,
            "dry_db": Number(0.0, -60.0, 6.0),
            "low_cut_hz": _LOW_CUT,
        },
        tail_s=8.0,
    ),
    "room": EffectSpec(
        "small natural room",
        "reverbs:room",
        {
            "decay_s": Number(0.45, 0.1, 1.2),
            "predelay_ms": Number(3.0, 0.0, 100.0),
            "wet_db": _WET,
            "low_cut_hz": _LOW_CUT,
            "damping_hz": Number(5000.0, 500.0, 16000.0),
        },
        tail_s=1.2,
    ),
    "plate": EffectSpec(
        "bright, dense plate",
        "reverbs:plate",
        {
            "decay_s": Number(1.8, 0.3, 6.0),
            "predelay_ms": Number(18.0, 0.0, 200.0),
            "wet_db": _WET,
            "low_cut_hz": _LOW_CUT,
            "damping_hz": Number(8000.0, 500.0, 16000.0),
        },
        tail_s=6.0,
    ),
    "hall": EffectSpec(
        "concert hall",
        "reverbs:hall",
        {
            "decay_s": Number(2.2, 0.5, 8.0),
            "predelay_ms": Number(24.0, 0.0, 200.0),
            "wet_db": _WET,
            "low_cut_hz": Number(120.0, 20.0, 2000.0),
            "damping_hz": Number(4500.0, 500.0, 16000.0),
        },
        tail_s=11.0,
    ),
    "gated_reverb": EffectSpec(
        "dense reverb cut off short, the eighties snare",
        "reverbs:gated_reverb",
        {
            "gate_ms": Number(190.0, 40.0, 600.0),
            "wet_db": Number(-10.0, -60.0, 6.0),
            "low_cut_hz": Number(250.0, 20.0, 2000.0),
        },
        tail_s=0.6,
    ),
}
