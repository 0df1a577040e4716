"""`mix.yaml`: what is written is what is read, people's slips are refused with what is allowed."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import NrxError
from engine.mixing.session import (
    Bus,
    ChannelStrip,
    Compressor,
    Duck,
    EqBand,
    MixSession,
    Parallel,
    Plugin,
    Send,
    read_session,
    write_session,
)
from engine.mixing.session.strips import Ride

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30
)


def full_session() -> MixSession:
    strip = ChannelStrip(
        name='Lead: Vocal #1 "née"',
        file="stems/lead vocal.wav",
        role="vocals",
        bus="vocals",
        start_s=1.5,
        polarity="inverted",
        delay_ms=-2.25,
        gain_db=3.2,
        low_cut_hz=80.0,
        eq=(EqBand(hz=300.0, db=-2.0, q=1.2), EqBand(kind="high_shelf", hz=9000.0, db=1.5, q=0.7)),
        compressor=Compressor(threshold_db=-24.0, ratio=3.0, makeup_db=2.0),
        ride=Ride(range_db=2.5),
        plugins=(
            Plugin(path="/plugins/Warm.vst3", parameters={"drive_db": 3.0, "on": True, "mode": "Tube"}),
        ),
        fader_db=-4.1,
        sends={"plate": -16.0, "delay": -22.0},
    )
    other = ChannelStrip(
        name="no", role="guitar", duck=Duck(depth_db=2.0), pan=-0.6, width_pct=110.0, mute=True
    )
    return MixSession(
        preset="pop",
        sample_rate=48_000,
        tempo_bpm=96.0,
        amounts={"eq": 50.0},
        bypass=("ducking",),
        tracks=(strip, other),
        buses={
            "drums": Bus(parallel=Parallel()),
            "mix": Bus(compressor=Compressor(threshold_db=-20.0, ratio=1.5)),
        },
        sends={"plate": Send(decay_s=1.6), "delay": Send(delay_ms=400.0)},
    )


def test_a_session_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mix.yaml"
    write_session(path, full_session())
    assert read_session(path) == full_session()


@settings(max_examples=60, deadline=None)
@given(name=NAMES, file=NAMES, gain=st.floats(-60.0, 36.0), pan=st.floats(-1.0, 1.0))
def test_any_name_and_number_survives(
    tmp_path_factory: pytest.TempPathFactory, name: str, file: str, gain: float, pan: float
) -> None:
    session = MixSession(
        sample_rate=44_100, tracks=(ChannelStrip(name=name, file=file, gain_db=gain, pan=pan),)
    )
    path = tmp_path_factory.mktemp("session") / "mix.yaml"
    write_session(path, session)
    assert read_session(path) == session


def test_the_file_explains_itself(tmp_path: Path) -> None:
    write_session(tmp_path / "mix.yaml", full_session())
    text = (tmp_path / "mix.yaml").read_text(encoding="utf-8")
    assert "nrx mix STEMS… --session mix.yaml" in text
    assert "How much of each stage" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pan: -0.6", "pan: -6", "pan"),
        ("role: guitar", "role: gitar", "guitar"),
        ("fader_db: -4.1", "fader: -4.1", "fader_db"),
        ('name: "no"', 'name: "Lead: Vocal #1 \\"née\\""', "twice"),
    ],
)
def test_slips_are_refused_with_what_is_allowed(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mix.yaml"
    write_session(path, full_session())
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(NrxError, match=said) as refused:
        read_session(path)
    assert refused.value.code == "preset.invalid"


def test_roles_have_their_everyday_names() -> None:
    assert ChannelStrip(name="a", role="Lead Vocal").role == "vocals"
    assert ChannelStrip(name="a", role="backing_vocal").role == "backing_vocals"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match=r"no session file .*gone\.yaml"):
        read_session(tmp_path / "gone.yaml")
