"""The console's files: whole, local, plain; and its pure modules under Node's own test runner."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.mixing import guess_role

WEB = Path(__file__).parents[2] / "bridge" / "doors" / "web"
CONSOLE = WEB / "console"
SCRIPTS = sorted(CONSOLE.rglob("*.js"))
TESTS = Path(__file__).parent / "js"

NAMES = (
    "01_Kick.wav", "BassDrum.wav", "Bass Drum 02.aif", "snare top", "SNR", "Claps", "HiHat.wav", "OH L", "overheads",
    "Ride", "shaker", "Toms", "cowbell", "drum kit", "Drum Loop 120", "Room mics", "synth bass", "808", "808 kick",
    "Sub", "DI Bass", "lead guitar", "Acoustic Gtr", "Lead-Vox", "lead vocals dry", "BGV 1", "Backing Vocals",
    "choir", "adlibs", "Rap", "Piano", "Rhodes", "Organ", "Vibes", "Bells", "Pad", "texture", "Arp", "pluck",
    "Lead", "Solo", "Chords", "Stabs", "Synth 3", "Strings", "Cello", "Horns", "Sax", "Flute", "Risers", "SFX",
    "white noise", "vinyl crackle", "track 7", "Instrumental", "música", "絆",
)  # fmt: skip


def test_every_module_that_is_named_is_there() -> None:
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        for named in re.findall(r'^import .*? from "(.+?)";|^} from "(.+?)";', text, re.MULTILINE):
            target = (script.parent / (named[0] or named[1])).resolve()
            assert target.is_file(), f"{script.name} imports {target}"
    for named in re.findall(
        r'(?:href|src)="(console/.+?)"', (WEB / "index.html").read_text(encoding="utf-8")
    ):
        assert (WEB / named).is_file(), named


def test_every_module_is_used_and_says_what_it_is_for() -> None:
    texts = {script: script.read_text(encoding="utf-8") for script in SCRIPTS}
    imported = {
        (script.parent / named).resolve()
        for script, text in texts.items()
        for named in re.findall(r'from "(\..+?)"', text)
    }
    for script, text in texts.items():
        assert text.startswith("// "), script
        assert script in imported or script.name == "main.js", script


def test_nothing_is_fetched_from_elsewhere_and_no_markup_is_made_of_text() -> None:
    for file in [*WEB.rglob("*.html"), *CONSOLE.rglob("*.css"), *SCRIPTS]:
        text = file.read_text(encoding="utf-8")
        addresses = [found for found in re.findall(r"https?://[\w.]+", text) if "www.w3.org" not in found]
        assert [found for found in addresses if not found.startswith("http://127.0.0.1")] == [], file
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write", text
        )
        assert "@import" not in text
        assert "url(" not in text


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed (Debian: nodejs)")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < 20:
        pytest.skip(f"Node {version.strip()} is too old for its test runner; 20 or newer is needed")
    return found


def test_pure_modules_do_what_their_tests_say(node: str, tmp_path: Path) -> None:
    cases = tmp_path / "roles.json"
    cases.write_text(json.dumps({name: guess_role(name) for name in NAMES}), encoding="utf-8")
    files = sorted(str(file) for file in TESTS.glob("*.test.mjs"))
    assert files
    done = subprocess.run(
        [node, "--test", *files],
        env={**os.environ, "NRX_ROLE_CASES": str(cases)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
