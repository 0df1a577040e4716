"""The mixer: what sounds, how loud, where, and that tracks stay together to the sample."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from console_browser import Page
from console_daemon import Remixed, RunningDaemon

GAINS = """
return Object.fromEntries([...player.lanes.values()].map((lane) => [lane.id, lane.fader.gain.value]));
"""
HEARD = """
const {peakOf} = await import("/console/js/player/player.js");
let most = {};
const until = performance.now() + 700;
while (performance.now() < until) {
  for (const lane of player.lanes.values()) most[lane.id] = Math.max(most[lane.id] ?? 0, peakOf(lane.meter));
  most.out = Math.max(most.out ?? 0, peakOf(player.meter));
  await new Promise((done) => setTimeout(done, 15));
}
return most;
"""
SETTLE = "await new Promise((done) => setTimeout(done, 400))"
OFFLINE = """
const {Player} = await import("/console/js/player/player.js");
const {DecodedSource} = await import("/console/js/player/sources.js");
const rate = 44100, frames = rate * 6;
const context = new OfflineAudioContext(2, rate * 4.5, rate);
const song = new AudioBuffer({length: frames, numberOfChannels: 2, sampleRate: rate});
const turned = new AudioBuffer({length: frames, numberOfChannels: 2, sampleRate: rate});
let state = 1;
for (const channel of [0, 1]) {
  for (let at = 0; at < frames; at += 1) {
    state = (state * 16807) % 2147483647;
    song.getChannelData(channel)[at] = state / 4294967294 - 0.25;
    turned.getChannelData(channel)[at] = -song.getChannelData(channel)[at];
  }
}
const player = new Player(context);
"""


def test_every_track_of_the_return_has_a_strip_with_its_gain(mixer: Page, remixed: Remixed) -> None:
    tracks = [track for track in remixed.manifest["tracks"] if track["kind"] not in ("mix", "master")]
    assert len(mixer.all(".strip")) == len(tracks)
    gains = mixer.run(GAINS)
    for track in tracks:
        expected = 0.0 if track["muted"] else 10 ** (track["gain_db"] / 20)
        assert gains[track["file"]] == pytest.approx(expected, rel=1e-4)
    mixer.picture("mixer-dark")


def test_solo_and_mute_change_what_sounds(mixer: Page, remixed: Remixed) -> None:
    first, other = [track["file"] for track in remixed.manifest["tracks"] if track["kind"] == "generated"][:2]
    mixer.click(".play")
    mixer.wait("player.state === 'playing' && player.positionS > 0.3")
    everything = mixer.later(HEARD)
    assert everything["out"] > 0.01
    mixer.click(f".strip[data-track='{first}'] .solo")
    mixer.later(SETTLE)
    alone = mixer.later(HEARD)
    assert alone[first] > 1e-3
    assert {name for name, peak in alone.items() if peak > 1e-4} <= {first, "out", "master.wav", "original 0"}
    mixer.click(f".strip[data-track='{first}'] .solo")
    for strip in mixer.all(".strip .mute[aria-pressed=false]"):
        mixer.run("arguments[0].click()", strip)
    mixer.later(SETTLE)
    silent = mixer.later(HEARD)
    assert silent["out"] < 1e-4
    assert silent[other] < 1e-4
    mixer.run("[...document.querySelectorAll('.text')].find((b) => b.textContent.includes('came')).click()")
    assert mixer.later(HEARD)["out"] > 0.01


def test_comparing_is_done_at_the_same_loudness(mixer: Page, remixed: Remixed) -> None:
    manifest = remixed.manifest
    measured = {
        "original": manifest["analysis"]["loudness_lufs"],
        "mix": manifest["loudness"]["mix"]["integrated_lufs"],
        "master": manifest["loudness"]["master"]["integrated_lufs"],
    }
    offs: dict[str, float] = mixer.run(
        "return Object.fromEntries([...player.sides].map(([name, s]) => [name, s.matchDb]))"
    )
    assert set(offs) == set(measured)
    heard = {side: measured[side] + offs[side] for side in measured}
    assert max(heard.values()) - min(heard.values()) < 0.05
    assert max(offs.values()) <= 0  # nobody is raised, so nothing clips
    mixer.click(".compare input[value=master]")
    mixer.wait("player.side === 'master'")
    gains = mixer.run("return Object.fromEntries([...player.sides].map(([n, s]) => [n, s.gain.gain.value]))")
    assert gains == {"original": 0, "mix": 0, "master": pytest.approx(10 ** (offs["master"] / 20), rel=1e-4)}
    mixer.click(".compare .check input")
    mixer.wait("player.sides.get('master').gain.gain.value === 1")


def test_the_original_is_heard_at_the_same_place(mixer: Page) -> None:
    mixer.run("player.seek(3)")
    mixer.click(".compare input[value=original]")
    mixer.wait("player.side === 'original'")
    assert mixer.run("return player.positionS") == pytest.approx(3, abs=0.01)
    mixer.click(".play")
    mixer.wait("player.positionS > 3.4")
    assert mixer.later(HEARD)["out"] > 0.01


def test_tracks_play_on_without_a_gap_and_together_to_the_sample(mixer: Page) -> None:
    result: dict[str, Any] = mixer.later(
        OFFLINE
        + """
        player.addLane({id: "a", source: new DecodedSource(song), side: "mix"});
        player.addLane({id: "b", source: new DecodedSource(turned), side: "mix", muted: true});
        player.seek(1.5);
        await player.play();
        await player.run.pump;
        const anchor = player.run.anchor, start = Math.round(1.5 * rate);
        const out = (await context.startRendering()).getChannelData(0);
        let worst = 0;
        for (let at = anchor; at < out.length; at += 1) {
          worst = Math.max(worst, Math.abs(out[at] - song.getChannelData(0)[start + at - anchor]));
        }
        return {worst, anchor, checked: out.length - anchor};
        """
    )
    assert result["checked"] > 44100 * 4
    assert result["worst"] < 1e-6
    both = mixer.later(
        OFFLINE
        + """
        player.addLane({id: "a", source: new DecodedSource(song), side: "mix"});
        player.addLane({id: "b", source: new DecodedSource(turned), side: "mix"});
        await player.play();
        await player.run.pump;
        const out = (await context.startRendering()).getChannelData(1);
        return out.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        """
    )
    assert both == 0


def test_a_loop_comes_round_to_the_sample(mixer: Page) -> None:
    worst = mixer.later(
        OFFLINE
        + """
        player.addLane({id: "a", source: new DecodedSource(song), side: "mix"});
        player.setLoop({start: 1, end: 1.75});
        player.seek(1);
        await player.play();
        await player.run.pump;
        const anchor = player.run.anchor;
        const out = (await context.startRendering()).getChannelData(0);
        const length = 0.75 * rate;
        let worst = 0;
        for (let at = anchor; at < out.length; at += 1) {
          worst = Math.max(worst, Math.abs(out[at] - song.getChannelData(0)[rate + (at - anchor) % length]));
        }
        return worst;
        """
    )
    assert worst < 1e-6


def test_wav_pieces_are_what_the_browser_decodes(mixer: Page, remixed: Remixed) -> None:
    worst = mixer.later(
        """
        const {WavSource} = await import("/console/js/player/sources.js");
        let worst = 0;
        for (const file of ["master.wav", "mix.wav"]) {
          const path = nrx.api.filePath(deck.id, file);
          const source = await WavSource.open(nrx.api, path);
          const bytes = await (await nrx.api.fetch(path)).arrayBuffer();
          const whole = await new OfflineAudioContext(2, 1, source.sampleRate).decodeAudioData(bytes);
          if (whole.length !== source.frames) throw new Error(`${whole.length} frames, not ${source.frames}`);
          const piece = await source.read(12345, 5000);
          piece.forEach((samples, channel) => samples.forEach((value, at) => {
            worst = Math.max(worst, Math.abs(value - whole.getChannelData(channel)[12345 + at]));
          }));
        }
        return worst;
        """
    )
    assert worst < 1e-6


def test_clicking_a_waveform_goes_there(mixer: Page) -> None:
    mixer.click(".strip .wave")  # in its middle
    half = mixer.run("return player.durationS / 2")
    assert mixer.run("return player.positionS") == pytest.approx(half, rel=0.02)


def test_keys_play_move_by_bars_mute_and_zoom(mixer: Page, remixed: Remixed) -> None:
    bars = remixed.manifest["timeline"]["downbeats_s"]
    mixer.run("document.getElementById('main').focus(); player.seek(0)")
    mixer.press("ARROW_RIGHT", "ARROW_RIGHT")
    assert mixer.run("return player.positionS") == pytest.approx(
        [at for at in bars if at > 0.02][1], abs=0.01
    )
    mixer.press("ARROW_LEFT")
    assert mixer.run("return player.positionS") == pytest.approx(
        next(at for at in bars if at > 0.02), abs=0.01
    )
    mixer.press(" ")
    mixer.wait("player.state === 'playing'")
    mixer.press(" ")
    mixer.wait("player.state === 'paused'")
    mixer.press("+", "+")
    assert not mixer.run("return document.querySelector('.overview-window').hidden")
    mixer.press("l")
    assert mixer.run("return player.loop.end > player.loop.start")
    mixer.press("l", "3")
    mixer.wait("player.side === 'master'")
    mixer.run("document.querySelector('.strip-head').focus()")
    was = mixer.run("return [...player.lanes.values()].map((lane) => lane.muted)")
    mixer.press("ARROW_DOWN", "m", "s")
    assert (
        mixer.run("return [...document.querySelectorAll('.strip-head')].indexOf(document.activeElement)") == 1
    )
    second = mixer.run("return document.querySelectorAll('.strip')[1].dataset.track")
    lane = mixer.run(f"const lane = player.lanes.get('{second}'); return [lane.muted, lane.solo]")
    assert lane == [True, True]
    assert sum(was) == sum(mixer.run("return [...player.lanes.values()].map((lane) => lane.muted)")) - 1


def test_only_one_strip_is_in_the_tab_order(mixer: Page) -> None:
    stops = "[...document.querySelectorAll('.strip-head, .strip button, .strip input')].filter((e) => e.tabIndex === 0)"
    assert mixer.run(f"return {stops}.length") == 5
    assert mixer.run(f"return new Set({stops}.map((e) => e.closest('.strip'))).size") == 1


def test_the_report_says_what_was_heard_and_made(mixer: Page, remixed: Remixed) -> None:
    words = mixer.text(".report")
    assert f"{remixed.manifest['analysis']['tempo_bpm']:.1f}".removesuffix(".0") + " BPM" in words
    for part in ("What was heard", "The new version", "Loudness", "What made it", "Licence"):
        assert part in words


def test_the_return_is_saved_as_a_zip_and_file_by_file(mixer: Page) -> None:
    folder = mixer.downloads
    for old in folder.iterdir():
        old.unlink()
    mixer.click(".return-head button")
    mixer.click("button[aria-label='Download midi/song.mid']")
    for _ in range(200):
        done = [file for file in folder.iterdir() if file.suffix in (".zip", ".mid")]
        if len(done) == 2 and not list(folder.glob("*.crdownload")):
            break
        mixer.later("await new Promise((done) => setTimeout(done, 50))")
    archive = next(folder.glob("*.zip"))
    with zipfile.ZipFile(archive) as opened:
        names = {Path(name).name for name in opened.namelist()}
    assert {"manifest.json", "mix.wav", "master.wav", "song.mid"} <= names
    assert next(folder.glob("*.mid")).read_bytes()[:4] == b"MThd"


def test_at_another_tempo_the_original_goes_on_at_the_same_bar(
    page: Page, daemon: RunningDaemon, songs: Path
) -> None:
    job = daemon.submit("remix", songs / "small song.wav", style="lofi_chill", tempo="style")
    assert daemon.finished(job["id"])["state"] == "succeeded"
    manifest = daemon.call("GET", f"/v2/returns/{job['id']}")
    here, there = manifest["timeline"]["downbeats_s"], manifest["analysis"]["downbeats_s"]
    assert abs(manifest["timeline"]["tempo_bpm"] - manifest["analysis"]["tempo_bpm"]) > 1
    page.go(f"#/return/{job['id']}")
    page.find(".mixer")
    page.run("globalThis.player = document.querySelector('.mixer').player")
    page.run("player.seek(arguments[0])", here[3])
    page.click(".compare input[value=original]")
    page.wait("player.side === 'original'")
    assert page.run("return player.positionS") == pytest.approx(there[3], abs=0.02)
    page.click(".compare input[value=mix]")
    page.wait("player.side === 'mix'")
    assert page.run("return player.positionS") == pytest.approx(here[3], abs=0.02)
