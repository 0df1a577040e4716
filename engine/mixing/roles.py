"""Roles: what each kind of track is in a mix, and how to tell the kind from a file's name.

Balances are loudness relative to the lead vocal where the track sounds (LU), a middle-of-the-road pop
balance; styles override them. Low cuts remove rumble below the instrument's lowest note and stay a few
semitones under it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of track in a mix.

    `family`: whose balance it takes in a style; `low_cut_hz`: 0 for none; `makes_room`: whether it dips
    under the voice.
    """

    family: str
    balance_db: float
    low_cut_hz: float
    makes_room: bool


ROLES: dict[str, Role] = {
    "vocals": Role("vocals", 0.0, 70.0, False),
    "backing_vocals": Role("vocals", -7.0, 100.0, True),
    "drums": Role("drums", -2.0, 0.0, False),
    "kick": Role("drums", -5.0, 0.0, False),
    "snare": Role("drums", -6.0, 80.0, False),
    "hats": Role("drums", -12.0, 200.0, False),
    "percussion": Role("drums", -11.0, 80.0, False),
    "bass": Role("bass", -4.0, 0.0, False),
    "guitar": Role("chords", -7.0, 70.0, True),
    "keys": Role("chords", -8.0, 40.0, True),
    "chords": Role("chords", -7.0, 50.0, True),
    "synth": Role("chords", -8.0, 60.0, True),
    "pad": Role("pad", -10.0, 90.0, True),
    "arp": Role("arp", -10.0, 90.0, True),
    "lead": Role("lead", -6.0, 80.0, True),
    "strings": Role("strings", -9.0, 45.0, True),
    "brass": Role("strings", -8.0, 45.0, True),
    "fx": Role("fx", -14.0, 30.0, True),
    "noise": Role("fx", -28.0, 30.0, True),
    "other": Role("other", -5.0, 30.0, True),
}

ALIASES: dict[str, str] = {
    "lead_vocal": "vocals",
    "lead_vocals": "vocals",
    "vocal": "vocals",
    "backing_vocal": "backing_vocals",
    "hat": "hats",
    "hihat": "hats",
    "perc": "percussion",
    "piano": "keys",
    "synth_pad": "pad",
    "synth/pad": "pad",
    "strings_brass": "strings",
    "strings/brass": "strings",
}
"""Other words by which people give a role."""


def canonical_role(word: str) -> str | None:
    """Return the role that a word stands for ("Lead Vocal" is vocals), or None."""
    plain = word.strip().lower().replace(" ", "_").replace("-", "_")
    return plain if plain in ROLES else ALIASES.get(plain)


_NAMES: tuple[tuple[str, str], ...] = (
    (
        "backing_vocals",
        r"(backing|background|bgv?s?|bvs?|harmon(y|ies)|choir|ad ?libs?|doubles?) ?(vo(x|cals?|ice)s?)?",
    ),
    ("vocals", r"(lead ?)?(vo(x|cals?|ice|c)s?|sing(er|ing)|acapp?ella|a cappella|rap)"),
    ("kick", r"kicks?|kik|bd|bass ?drum|808 kick"),
    ("snare", r"snares?( ?drums?)?|sn|sd|snr|rim ?(shot)?|claps?"),
    ("hats", r"(hi ?)?hats?|hh|hihats?|cymbals?|rides?|crash|overheads?|oh"),
    ("percussion", r"perc(ussion|s)?|shakers?|tamb(ourine)?|congas?|bongos?|toms?|cowbell|tabla|cajon|block"),
    ("drums", r"drums?|drum ?(loop|kit|bus)|kit|beats?|breaks?|amen|rooms?"),
    ("bass", r"(sub|synth|electric|upright|finger|e)? ?bass(line)?|808s?|sub|contrabass"),
    (
        "guitar",
        r"(e|ac|acoustic|electric|rhythm|lead|nylon|steel)? ?(guitars?|gtrs?|gits?)|banjo|ukulele|mandolin",
    ),
    ("strings", r"strings?|violins?|violas?|cell[oi]s?|orchestra|harp|pizz(icato)?"),
    ("brass", r"brass|horns?|trumpets?|trombones?|sax(ophone)?s?|tuba|flutes?|clarinets?|woodwinds?|oboe"),
    (
        "keys",
        (
            r"keys?|pianos?|pno|harpsichord|accordion|rhodes|wurli(tzer)?|organ|e ?p|electric piano|clav(inet)?|"
            r"vib(e|raphone)s?|bells?|glock(enspiel)?|celest[ae]|marimbas?|kalimbas?|xylophone|chimes?"
        ),
    ),
    ("pad", r"pads?|atmos?(phere)?|ambien(t|ce)|drone|texture"),
    ("arp", r"arps?|arpeggio|sequence|seq|plucks?"),
    ("lead", r"leads?|solo|melody|hook"),
    ("chords", r"chords?|stabs?|comp(ing)?"),
    ("synth", r"synths?|syn"),
    ("fx", r"s?fx|effects?|risers?|impacts?|sweeps?|(white |pink )noise|foley|whoosh"),
    ("noise", r"noise|hiss|vinyl( ?(noise|hiss|crackle))?|crackle|room ?tone|rain|tape ?(noise|hiss)|hum"),
    ("other", r"other|music|instrumental|rest|accompaniment"),
)
_PATTERNS = tuple((role, re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")) for role, pattern in _NAMES)


def guess_role(name: str) -> str:
    """Return the role that a track's or file's name speaks of, "other" where it says nothing.

    Words count from the right, since names end in what matters ("Bass Drum 02", "synth bass", "lead vox
    dry"); among words that end together the longest phrase wins, so that "bass drum" is a kick and "lead
    guitar" a guitar.

    >>> guess_role("03_Lead-Vox.wav"), guess_role("Synth Bass"), guess_role("BassDrum"), guess_role("track 7")
    ('vocals', 'bass', 'kick', 'other')
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rsplit(".", 1)[0] if "." in name else name)
    words = re.sub(r"[^a-z0-9]+", " ", spaced.lower()).strip()
    words = re.sub(r"(?<=[a-z])(?=\d)", " ", words)
    best: tuple[int, int, str] | None = None
    for role, pattern in _PATTERNS:
        for found in pattern.finditer(words):
            rank = (found.end(), found.end() - found.start(), role)
            if found.group() and (best is None or rank[:2] > best[:2]):
                best = rank
    return best[2] if best else "other"


def balance_of(role: str, balance_db: Mapping[str, float]) -> float:
    """Return the balance of `role` in LU relative to the vocals: its own, its family's, or the table's.

    A role that takes its family's balance keeps its distance from the family in the table (a kick is 3 LU
    under drums).
    """
    if role in balance_db:
        return balance_db[role]
    traits = ROLES.get(role, ROLES["other"])
    if traits.family in balance_db and traits.family in ROLES:
        return balance_db[traits.family] + traits.balance_db - ROLES[traits.family].balance_db
    return traits.balance_db
