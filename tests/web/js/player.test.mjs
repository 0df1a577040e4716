// The player's arithmetic: pieces, loops, gains, bars, views, WAV headers.

import assert from "node:assert/strict";
import test from "node:test";

import { barAt, mapTime, neighbourBar, sameTimeline } from "../../../bridge/doors/web/console/js/player/bars.js";
import { layout, matching } from "../../../bridge/doors/web/console/js/player/deck.js";
import { balance, gainOf, matchedGains, sounds } from "../../../bridge/doors/web/console/js/player/levels.js";
import { Pieces } from "../../../bridge/doors/web/console/js/player/pieces.js";
import { pieceAt, songFrame, usableLoop } from "../../../bridge/doors/web/console/js/player/schedule.js";
import { barStep, View } from "../../../bridge/doors/web/console/js/player/view.js";
import { wavChannels, wavHeader } from "../../../bridge/doors/web/console/js/player/wav.js";

test("pieces follow each other without gap or overlap, to the end and no further", () => {
  for (const loop of [null, { start: 300, end: 725 }]) {
    let played = 0;
    for (let count = 0; count < 60; count += 1) {
      const piece = pieceAt(17, played, 1000, loop, 128);
      if (piece === null) break;
      assert.equal(piece.song, songFrame(17, played, 1000, loop));
      assert.ok(piece.count > 0 && Math.floor(piece.song / 128) === Math.floor((piece.song + piece.count - 1) / 128));
      if (loop) assert.ok(piece.song + piece.count <= loop.end);
      played += piece.count;
    }
    assert.equal(played, loop ? played : 983);
    if (loop) assert.ok(played > 3000);
  }
});

test("behind a loop's end the song goes on, before it the loop is entered", () => {
  const loop = { start: 100, end: 200 };
  assert.equal(songFrame(250, 30, 1000, loop), 280);
  assert.equal(songFrame(50, 149, 1000, loop), 199);
  assert.equal(songFrame(50, 150, 1000, loop), 100);
  assert.equal(usableLoop({ start: 10, end: 12 }, 1000, 5), null);
});

test("solo beats mute, and mute silences", () => {
  const tracks = [{ solo: true, muted: true }, { solo: false, muted: false }];
  assert.deepEqual(tracks.map((track) => sounds(track, tracks)), [true, false]);
  assert.deepEqual([{ muted: true }, { muted: false }].map((track, _, all) => sounds(track, all)), [false, true]);
});

test("matching brings all sides to the quietest and raises none", () => {
  assert.deepEqual(matchedGains({ original: -12, mix: -20, master: -9 }), { original: -8, mix: 0, master: -11 });
  assert.deepEqual(matchedGains({ original: null, mix: -20 }), { original: 0, mix: 0 });
  const { gains } = matching({ analysis: { loudness_lufs: -14 }, loudness: { mix: { integrated_lufs: -22 }, master: { integrated_lufs: -11 } } });
  assert.deepEqual(gains, { original: -8, mix: 0, master: -11 });
});

test("pan is a balance, and the lowest fader is silence", () => {
  assert.deepEqual(balance(0), [1, 1]);
  assert.deepEqual(balance(1), [0, 1]);
  assert.equal(gainOf(-60), 0);
  assert.ok(Math.abs(gainOf(-6) - 0.5012) < 1e-4);
});

test("a manifest's tracks become strips, sides and timelines", () => {
  const track = (kind) => ({ kind, file: kind });
  const found = layout({ source: [{}], tracks: [track("generated"), track("mix"), track("master")], timeline: { downbeats_s: [0, 2, 4] }, analysis: { downbeats_s: [0, 3, 6] } });
  assert.deepEqual(found.sides, ["original", "mix", "master"]);
  assert.equal(found.strips.length, 1);
  assert.equal(found.isOneTimeline, false);
  assert.deepEqual(layout({ source: [{}], tracks: [track("master")] }).sides, ["original", "master"]);
});

test("a moment is the same bar on another timeline", () => {
  const from = [0, 2, 4, 6];
  const to = [1, 4, 7, 10];
  assert.equal(mapTime(3, from, to), 5.5);
  assert.equal(mapTime(7, from, to), 11.5);
  for (const at of [0.3, 2.9, 5.5]) assert.ok(Math.abs(mapTime(mapTime(at, from, to), to, from) - at) < 1e-9);
  assert.ok(sameTimeline(from, [0.001, 2, 4]) && !sameTimeline(from, to));
});

test("bars are counted from one, and neighbours are found", () => {
  assert.deepEqual([0.1, 1, 2.999, 3].map((at) => barAt([1, 3, 5], at)), [0, 1, 1, 2]);
  assert.equal(neighbourBar([1, 3, 5], 3, 1, 9), 5);
  assert.equal(neighbourBar([1, 3, 5], 3.1, -1, 9), 1);
  assert.equal(neighbourBar([1, 3, 5], 5, 1, 9), 9);
});

test("a view zooms around a moment, stays inside, and follows", () => {
  const view = new View(100);
  view.zoomBy(4, 50);
  assert.deepEqual([view.start, view.length], [37.5, 25]);
  assert.equal(view.follow(70), true);
  assert.ok(view.start <= 70 && view.end > 70);
  view.scrollTo(1000);
  assert.equal(view.end, 100);
  view.zoomBy(1e-3);
  assert.deepEqual([view.start, view.length], [0, 100]);
  assert.equal(barStep(9), 4);
});

test("pieces are kept up to a limit, the last used longest, failed ones not at all", async () => {
  const pieces = new Pieces(250);
  let made = 0;
  const get = (key) => pieces.get(key, 100, async () => (made += 1));
  await get("a");
  await get("b");
  await get("a");
  await get("c");
  assert.equal(pieces.bytes, 200);
  assert.equal(await get("a"), 1);
  assert.equal(await get("b"), 4);
  await assert.rejects(pieces.get("bad", 10, async () => { throw new Error("no"); }));
  await pieces.get("bad", 10, async () => 1);
});

function wav({ kind = "RIFF", code = 1, bits = 16, channels = 2, samples = [], before = [], dataSize = null }) {
  const bytes = [];
  const text = (word) => bytes.push(...[...word].map((letter) => letter.charCodeAt(0)));
  const u = (value, width) => { for (let at = 0; at < width; at += 1) bytes.push(Math.floor(value / 2 ** (8 * at)) % 256); };
  text(kind), u(0xffffffff, 4), text("WAVE");
  for (const [id, content] of before) text(id), u(content.length, 4), bytes.push(...content, ...(content.length % 2 ? [0] : []));
  text("fmt "), u(16, 4), u(code, 2), u(channels, 2), u(48000, 4), u(48000 * channels * bits / 8, 4), u(channels * bits / 8, 2), u(bits, 2);
  text("data"), u(dataSize ?? samples.length, 4), bytes.push(...samples);
  return new Uint8Array(bytes).buffer;
}

test("samples of every width come out in -1..1, channels apart", () => {
  const header = wavHeader(wav({ samples: [0, 0x80, 0xff, 0x7f] }));
  assert.deepEqual([header.channels, header.sampleRate, header.frames, header.dataStart], [2, 48000, 1, 44]);
  assert.deepEqual(wavChannels(new Uint8Array([0, 0x80, 0xff, 0x7f]).buffer, header).map((channel) => channel[0]), [-1, Math.fround(32767 / 32768)]);
  const wide = wavHeader(wav({ bits: 24, channels: 1, samples: [0, 0, 0x40, 0, 0, 0xc0] }));
  assert.deepEqual([...wavChannels(new Uint8Array([0, 0, 0x40, 0, 0, 0xc0]).buffer, wide)[0]], [0.5, -0.5]);
  const float = wavHeader(wav({ code: 3, bits: 32, channels: 1, samples: new Uint8Array(new Float32Array([1.5]).buffer) }));
  assert.equal(wavChannels(new Float32Array([1.5]).buffer, float)[0][0], 1.5);
});

test("a header is asked for in full, odd chunks are passed, and 64-bit lengths count", () => {
  const file = wav({ before: [["bext", new Array(603).fill(7)]], samples: [1, 2, 3, 4] });
  const short = wavHeader(file.slice(0, 100));
  assert.ok(short.needed > 100);
  assert.equal(wavHeader(file, file.byteLength).frames, 1);
  const size = [0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.equal(wavHeader(wav({ kind: "RF64", before: [["ds64", size]], dataSize: 0xffffffff, samples: new Array(8).fill(0) })).frames, 2);
  const cut = wav({ samples: new Array(40).fill(0), dataSize: 4000 });
  assert.equal(wavHeader(cut, cut.byteLength).frames, 10);
  assert.throws(() => wavHeader(new TextEncoder().encode("OggS, and something else").buffer), /no WAV/);
  assert.throws(() => wavHeader(wav({ code: 2, bits: 4 })), /cannot be played/);
});
