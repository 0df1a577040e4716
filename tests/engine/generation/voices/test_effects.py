import numpy as np
import pytest

from engine.audio.buffer import Audio
from engine.errors import Cancelled, NrxError
from engine.generation.arranger.effects import EFFECTS, Number, apply_effects, chain, check_effects
from engine.generation.arranger.effects.parameters import OneOf
from engine.progress import Monitor
from engine.tempo import TempoMap

RATE = 44100


def bursts(seconds=2.0, rate=RATE):
    rng = np.random.default_rng(3)
    frames = int(seconds * rate)
    envelope = np.exp(-((np.arange(frames) % (rate // 2)) / (0.08 * rate)))
    return Audio((0.2 * rng.standard_normal((2, frames)) * envelope).astype(np.float32), rate)


def sine(hz, seconds=1.0, level=0.25):
    wave = level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    return Audio(np.stack([wave, wave]).astype(np.float32), RATE)


def db(value):
    return 20 * np.log10(value)


@pytest.mark.parametrize("name", EFFECTS)
def test_each_effect_keeps_the_length_and_gives_the_same_bytes_again(name):
    source = bursts()
    first, second = (apply_effects(source, [{"type": name}], kick_times_s=[0.5, 1.0]) for _ in range(2))
    assert first.samples.shape == source.samples.shape
    assert first.samples.dtype == np.float32
    assert np.isfinite(first.samples).all()
    assert first.samples.tobytes() == second.samples.tobytes()
    assert abs(db(first.samples.std() / source.samples.std())) < 18


@pytest.mark.parametrize("name", [name for name in EFFECTS if name != "gain"])
def test_each_effect_changes_the_sound(name):
    source = bursts()
    strong = {name: {"gain_db": 6} for name in ("peak", "low_shelf", "high_shelf")}
    strong |= {"width": {"width": 0.3}, "limiter": {"ceiling_db": -20}}
    result = apply_effects(source, [{"type": name, **strong.get(name, {})}], kick_times_s=[0.5, 1.0])
    assert np.abs(result.samples - source.samples).max() > 1e-3


@pytest.mark.parametrize("name", EFFECTS)
def test_block_borders_leave_no_mark(name, monkeypatch):
    source = bursts(1.6)
    whole = apply_effects(source, [{"type": name}], kick_times_s=[0.5, 1.0])
    monkeypatch.setattr(chain, "BLOCK_FRAMES", 16 * 1024)
    pieces = apply_effects(source, [{"type": name}], kick_times_s=[0.5, 1.0])
    assert np.abs(whole.samples - pieces.samples).max() < 1e-4


@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_silent(name):
    silence = Audio(np.zeros((2, RATE), dtype=np.float32), RATE)
    assert np.abs(apply_effects(silence, [{"type": name}]).samples).max() < 1e-6


@pytest.mark.parametrize("rate", [22050, 192000])
def test_all_effects_in_a_row_work_at_any_rate(rate):
    result = apply_effects(bursts(0.3, rate), [{"type": name} for name in EFFECTS])
    assert np.isfinite(result.samples).all()


@pytest.mark.parametrize("name", EFFECTS)
def test_a_parameter_out_of_range_is_refused_by_name(name):
    for key, parameter in EFFECTS[name].parameters.items():
        wrong = parameter.high * 2 + 1 if isinstance(parameter, Number) else "purple"
        with pytest.raises(NrxError, match=f'"{name}": {key} is .* must be {parameter.allowed}') as caught:
            check_effects([{"type": name, key: wrong}])
        assert caught.value.code == "preset.invalid"


@pytest.mark.parametrize("value", [float("nan"), True, "loud", None, [1]])
def test_what_is_not_a_number_is_refused(value):
    with pytest.raises(NrxError, match="gain_db"):
        check_effects([{"type": "gain", "gain_db": value}])


def test_unknown_effects_and_parameters_are_refused_with_what_there_is():
    with pytest.raises(NrxError, match=r"no effect 'flanger'.*chorus"):
        check_effects([{"type": "flanger"}])
    with pytest.raises(NrxError, match='"chorus" has no parameter "speed"; it has rate_hz'):
        check_effects([{"type": "chorus", "speed": 2}])


def test_defaults_are_allowed_values():
    for name, spec in EFFECTS.items():
        for key, parameter in spec.parameters.items():
            assert isinstance(parameter, Number | OneOf)
            assert parameter.accepts(parameter.default), (name, key)


def test_one_channel_becomes_two():
    mono = Audio(bursts().samples[:1].copy(), RATE)
    assert apply_effects(mono, [{"type": "chorus"}]).channels == 2


@pytest.mark.parametrize(("kind", "hz", "least_db"), [("low_pass", 8000, 40), ("high_pass", 250, 40)])
def test_filters_are_as_steep_as_they_say(kind, hz, least_db):
    cutoff = 2000 if kind == "low_pass" else 1000
    filtered = apply_effects(sine(hz), [{"type": kind, "cutoff_hz": cutoff, "slope_db": 24}])
    loss = db(0.25 / np.abs(filtered.samples[:, RATE // 2 :]).max())
    assert loss > least_db


def test_sidechain_dips_by_its_depth_at_each_kick_and_returns():
    kicks = np.array([0.5, 1.0, 1.5])
    steady = Audio(np.ones((2, 2 * RATE), dtype=np.float32), RATE)
    effect = {"type": "sidechain", "depth_db": 6.0, "release_beats": 0.5}
    level = apply_effects(steady, [effect], kick_times_s=kicks, target_map=TempoMap.constant(120)).samples[0]
    for kick in kicks:
        assert db(level[int((kick + 0.012) * RATE)]) == pytest.approx(-6.0, abs=0.3)
        assert db(level[int((kick - 0.02) * RATE)]) == pytest.approx(0.0, abs=0.1)
    assert np.abs(np.diff(level)).max() < 0.01


def test_sidechain_without_kicks_changes_nothing():
    source = bursts()
    assert np.array_equal(apply_effects(source, [{"type": "sidechain"}]).samples, source.samples)


@pytest.mark.parametrize("bpm", [80.0, 127.5])
def test_echoes_come_on_the_beat_and_ping_pong_changes_sides(bpm):
    click = np.zeros((2, 3 * RATE), dtype=np.float32)
    click[:, 100] = 1.0
    effect = {"type": "ping_pong", "beats": 0.75, "feedback": 0.5, "wet_db": 0.0}
    heard = apply_effects(Audio(click, RATE), [effect], target_map=TempoMap.constant(bpm)).samples
    heard[:, 100] = 0
    step = 0.75 * 60 / bpm * RATE
    for number in (1, 2, 3):
        place = int(100 + number * step)
        near = np.abs(heard[:, place - 40 : place + 40]).max(axis=1)
        assert near[(number - 1) % 2] > 10 * near[number % 2]
        assert abs(int(np.argmax(np.abs(heard[(number - 1) % 2, place - 400 : place + 400]))) - 400) < 12


def test_the_limiter_never_passes_its_ceiling():
    loud = Audio(bursts().samples * 20, RATE)
    limited = apply_effects(loud, [{"type": "limiter", "ceiling_db": -3.0}])
    assert np.abs(limited.samples).max() <= 10 ** (-3.0 / 20)


def test_distortion_adds_harmonics_and_hardly_aliases():
    power = (
        np.abs(np.fft.rfft(apply_effects(sine(3700.0), [{"type": "distortion", "drive_db": 24}]).samples[0]))
        ** 2
    )
    hz = np.fft.rfftfreq(RATE, 1 / RATE)
    harmonic = np.abs(hz - 3700 * np.rint(hz / 3700)) < 20
    assert db(np.sqrt(power[11100] / power[3700])) > -25
    assert 10 * np.log10(power[~harmonic].max() / power[3700]) < -38


def test_a_hall_decays_in_its_own_time():
    click = np.zeros((2, 4 * RATE), dtype=np.float32)
    click[:, 10] = 1.0
    tail = apply_effects(Audio(click, RATE), [{"type": "hall", "decay_s": 2.0, "wet_db": 0}]).samples[0]
    steps = [np.std(tail[int(place * RATE) : int((place + 0.2) * RATE)]) for place in (0.3, 1.3)]
    assert db(steps[0] / steps[1]) == pytest.approx(30, abs=8)


def test_a_gated_reverb_stops_at_its_gate():
    click = np.zeros((2, RATE), dtype=np.float32)
    click[:, 10] = 1.0
    tail = apply_effects(Audio(click, RATE), [{"type": "gated_reverb", "gate_ms": 200, "wet_db": 0}]).samples
    assert np.std(tail[:, int(0.1 * RATE) : int(0.15 * RATE)]) > 1e-3
    assert np.abs(tail[:, int(0.25 * RATE) :]).max() < 1e-4


def test_wow_moves_the_pitch_by_the_cents_it_says_and_hardly_the_time():
    effect = {"type": "wow_flutter", "wow_hz": 0.8, "wow_cents": 20, "flutter_cents": 0}
    wobbling = apply_effects(sine(1000, 6.0), [effect]).samples[0].astype(np.float64)
    spectrum = np.fft.fft(wobbling)
    spectrum[wobbling.size // 2 :] = 0
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))
    cents = 1200 * np.log2(np.diff(phase)[RATE // 2 : -RATE // 2] * RATE / (2 * np.pi) / 1000)
    smooth = np.convolve(cents, np.ones(2000) / 2000, "valid")
    assert 10 < smooth.max() < 24
    assert -24 < smooth.min() < -10
    lag = phase[RATE:-RATE] / (2 * np.pi * 1000) - np.arange(RATE, wobbling.size - RATE) / RATE
    assert np.abs(lag - np.round(lag[0] / 0.001) * 0.001).max() < 0.008


def test_cancel_is_heard_between_blocks():
    long = Audio(np.zeros((2, 4 * chain.BLOCK_FRAMES), dtype=np.float32), RATE)
    seen = []
    monitor = Monitor(on_progress=seen.append, is_cancelled=lambda: len(seen) >= 2)
    with pytest.raises(Cancelled):
        apply_effects(long, [{"type": "gain"}], monitor=monitor)
    assert len(seen) == 2


@pytest.mark.parametrize("name", EFFECTS)
def test_equal_sides_sound_as_they_do_when_worked_on_one_by_one(name):
    left = bursts().samples[:1]
    equal = np.repeat(left, 2, axis=0)
    unequal = equal.copy()
    unequal[1, -1] += 0.01
    one, two = (
        apply_effects(Audio(samples, RATE), [{"type": name}], kick_times_s=[0.5, 1.0]).samples
        for samples in (equal, unequal)
    )
    assert np.abs(one[:, :-4096] - two[:, :-4096]).max() < 1e-5


def test_effects_joined_in_a_chain_sound_as_they_do_one_after_the_other():
    chained = [
        {"type": "high_pass", "cutoff_hz": 120},
        {"type": "peak", "gain_db": 4},
        {"type": "gain", "gain_db": -3},
        {"type": "tape"},
        {"type": "low_pass", "cutoff_hz": 5000, "slope_db": 24},
        {"type": "cabinet"},
        {"type": "gain", "gain_db": 6},
    ]
    by_steps = source = bursts()
    for effect in chained:
        by_steps = apply_effects(by_steps, [effect])
    assert np.abs(apply_effects(source, chained).samples - by_steps.samples).max() < 1e-5
