// Words and numbers: what people read, roles, chords, the report; jobs and events.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { chordName, keyName, mergedChords } from "../../../bridge/doors/web/console/js/chords.js";
import { contrast, visible } from "../../../bridge/doors/web/console/js/draw/colours.js";
import { bytes, clock, decibels, left, listed, percent, signed, span } from "../../../bridge/doors/web/console/js/format.js";
import { report } from "../../../bridge/doors/web/console/js/report.js";
import { guessRole, songRole } from "../../../bridge/doors/web/console/js/roles.js";
import { sseMessages } from "../../../bridge/doors/web/console/js/sse.js";
import { JobStore } from "../../../bridge/doors/web/console/js/store.js";
import { ENERGY_WORDS, wordFor } from "../../../bridge/doors/web/console/js/words.js";

test("numbers are written as people read them", () => {
  assert.deepEqual([0, 59.99, 83.46, 3725].map((at) => clock(at)), ["0:00", "0:59", "1:23", "1:02:05"]);
  assert.equal(clock(9.97, true), "0:09.9");
  assert.deepEqual([5, 60, 200, 7200].map(span), ["5 s", "1 min", "3 min 20 s", "2 h"]);
  assert.deepEqual([null, 1, 43, 250].map(left), ["", "a moment left", "about 45 s left", "about 4 min left"]);
  assert.deepEqual([999, 1500, 616e6].map(bytes), ["999 bytes", "1.5 kB", "616 MB"]);
  assert.deepEqual([signed(-3.25), signed(0.04), decibels(-60)], ["−3.3", "0.0", "−∞ dB"]);
  assert.deepEqual([percent(0.999), percent(1), listed(["a", "b", "c"])], ["99 %", "100 %", "a, b and c"]);
  assert.deepEqual([0.5, 1, 2].map((value) => wordFor(ENERGY_WORDS, value)), ["half asleep", "as the style plays", "all out"]);
});

test("roles are guessed as the engine guesses them", () => {
  const cases = JSON.parse(readFileSync(process.env.NRX_ROLE_CASES, "utf8"));
  assert.ok(Object.keys(cases).length >= 40);
  for (const [name, role] of Object.entries(cases)) assert.equal(guessRole(name), role, name);
  assert.deepEqual(["kick", "backing_vocals", "bass", "keys"].map(songRole), ["drums", "vocals", "bass", "other"]);
});

test("chords and keys are written as musicians write them", () => {
  assert.deepEqual(["E:min7/b3", "Bb:maj", "F#:hdim7", "N", "C:maj/5"].map(chordName), ["Em7/G", "B♭", "F♯m7♭5", "", "C/G"]);
  assert.deepEqual(["Bb minor", "F# major", "B major"].map(keyName), ["B♭ minor", "F♯ major", "B major"]);
  const chords = [["C:maj", 0, 1], ["C:maj", 1, 2], ["N", 2, 3], ["G:maj", 3, 4]].map(([label, start_s, end_s]) => ({ label, start_s, end_s }));
  assert.deepEqual(mergedChords(chords).map((chord) => [chord.label, chord.end_s]), [["C:maj", 2], ["G:maj", 4]]);
});

test("a dark colour is lightened until it can be seen", () => {
  const seen = visible("#1D3557", "#161a20", "#e9edf1");
  assert.ok(contrast(seen, "#161a20") >= 3);
  assert.equal(visible("#f2a541", "#161a20", "#e9edf1"), "#f2a541");
});

test("the report names tempo, key, chords, what was kept, loudness and licences", () => {
  const words = report({
    action: "remix", style: "jazz", request: { energy: 1.3, brightness: 1 }, device: "cpu", seconds: 9, times_real_time: 7.4, nrx_version: "0.1.0",
    source: [{ path: "C:\\songs\\a.wav", duration_s: 60, format: "WAV", sample_rate: 48000, channels: 2 }],
    analysis: { tempo_bpm: 100, tempo_candidates: [{ bpm: 50, confidence: 0.3 }], tempo_source: "estimated", steady: true, has_beat: true, time_signature: "4/4",
      key: "Eb minor", key_confidence: 0.8, tuning_cents: 0, chords: [{ start_s: 0, end_s: 2, label: "Eb:min" }], sections: [], loudness_lufs: -14.2 },
    tracks: [{ kind: "fitted", name: "Vocals (kept)" }, { kind: "generated", name: "Bass" }],
    timeline: { tempo_bpm: 120, duration_s: 50 },
    sync: [{ role: "vocals", stretch_mean: 0.8333, pitch_semitones: 0.5, residual_median_ms: 4, residual_worst_ms: 11 }],
    loudness: { master: { integrated_lufs: -14, true_peak_dbtp: -1, lra_lu: 5, target_lufs: -14, ceiling_dbtp: -1, warnings: ["Quiet"] } },
    backends: [{ stage: "generate", name: "musicgen", version: "1", what: "a model", licence: "CC BY-NC 4.0", commercial_use: false }],
  }, () => "Jazz").flatMap((part) => part.lines).join(" ");
  for (const fact of ["a.wav: 1:00", "100 BPM in 4/4", "felt at 50 BPM", "surely E♭ minor", "E♭m", "It plays at 120 BPM; the song was at 100 BPM", "16.7 % shorter",
    "+0.50 semitones", "within 4.0 ms", "−14.0 LUFS", "asked for", "Quiet.", "CC BY-NC 4.0", "NOT for commercial", "7.4 times as fast", "Energy 1.30"]) {
    assert.ok(words.includes(fact), `${fact}: ${words}`);
  }
});

test("event streams are read however they are cut", () => {
  const text = ": hello\r\n\r\nid: 7\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nevent: x\ndata:two\n\n";
  for (let cut = 1; cut < 9; cut += 1) {
    const reader = sseMessages();
    const found = [];
    for (let at = 0; at < text.length; at += cut) found.push(...reader.push(text.slice(at, at + cut)));
    assert.deepEqual(found.map((message) => [message.id, message.event, message.data]), [["7", "message", "{\"a\":\n1}"], ["7", "x", "two"]], `cut ${cut}`);
  }
});

const job = (id, state, more = {}) => ({ id, state, title: id, style: null, action: "remix", created_at: 1, ...more });

test("events that come while jobs are listed are newer than the list", () => {
  const store = new JobStore();
  store.listing();
  store.take({ type: "succeeded", job: job("a", "succeeded") });
  assert.equal(store.get("a"), null);
  store.listed([job("a", "running"), job("b", "queued", { position: 0 })]);
  assert.equal(store.get("a").state, "succeeded");
  assert.deepEqual(store.list().map((item) => item.id), ["b", "a"]);
  assert.deepEqual(store.list("done", "A").map((item) => item.id), ["a"]);
  store.take({ type: "deleted", job: job("b", "queued") });
  assert.equal(store.active, 0);
});
