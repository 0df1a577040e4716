"""Roles from the names that people give their files."""

import pytest

from engine.mixing.roles import ROLES, balance_of, guess_role

NAMES = {
    "kick": ["Kick", "01_KICK_in.wav", "BD", "Bass Drum", "BassDrum 2", "kik"],
    "snare": ["Snare top", "SN bottom", "clap", "SnareDrum", "rimshot"],
    "hats": ["HiHat", "hi-hat", "HH", "Overheads L", "ride cymbal", "OH_R"],
    "percussion": ["Perc 1", "shaker", "Tambourine", "congas", "cowbell", "Floor Tom"],
    "drums": ["Drums", "drum bus", "DrumLoop", "loop_amen", "Drum Kit", "Breakbeat break"],
    "bass": ["Bass", "Synth Bass", "sub", "808", "bassline", "E-Bass DI", "Upright Bass"],
    "vocals": ["Vocals", "Lead Vox", "LeadVocal dry", "vox", "VOX_main", "singer", "03 - Lead Vocal.wav"],
    "backing_vocals": [
        "Backing Vocals",
        "BGV",
        "bv 1",
        "choir",
        "Vox Harmony",
        "Background Vox",
        "harmonies",
    ],
    "guitar": ["E-Gtr L", "Acoustic Guitar", "guitar2", "Lead Guitar", "gtr", "Nylon Guitar"],
    "keys": ["Piano", "Keys", "Rhodes", "Electric Piano", "organ", "Wurlitzer", "vibraphone", "bells"],
    "synth": ["Synth", "Synth 3", "syn"],
    "pad": ["Pad", "Warm Pads", "atmo", "Synth Pad", "texture"],
    "arp": ["Arp", "arpeggio", "Pluck"],
    "lead": ["Synth Lead", "Lead", "melody", "solo"],
    "chords": ["chords", "Stabs"],
    "strings": ["Strings", "Violin 1", "cello", "string section"],
    "brass": ["Brass", "Horns", "Trumpet", "Alto Sax", "flute"],
    "fx": ["FX", "sfx riser", "Impact", "white noise"],
    "noise": ["noise", "vinyl", "Vinyl Crackle", "room tone", "tape hiss"],
    "other": ["other", "instrumental", "track 7", "", "Audio 12-3", "untitled", "résumé"],
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in NAMES.items() for name in names])
def test_names_speak_of_roles(role: str, name: str) -> None:
    assert guess_role(name) == role


def test_every_guess_is_a_role_of_the_table() -> None:
    assert set(NAMES) == set(ROLES)


def test_balance_comes_from_the_role_then_its_family_then_the_table() -> None:
    assert balance_of("kick", {"kick": -1.0, "drums": -9.0}) == -1.0
    assert balance_of("kick", {"drums": -9.0}) == -9.0 + ROLES["kick"].balance_db - ROLES["drums"].balance_db
    assert balance_of("kick", {}) == ROLES["kick"].balance_db
    assert balance_of("theremin", {}) == ROLES["other"].balance_db
