// Plays the lanes of a song together, locked to the sample, in bounded memory.
//
// Lanes are read in pieces of `PIECE_S` seconds. A piece of all lanes is fetched together and its buffers are started at
// one whole frame of the context's clock, the next one exactly where it ends; so lanes can't drift apart, a song of any
// length takes the memory of a few pieces, and playing starts when the first is there. Where data comes late the clock
// stops ("waiting") instead of letting lanes fall apart. A context of the song's own rate means that nothing is resampled.
//
// Graph: piece -> balance -> gain (fader, mute, solo) -> meter -> bus of its side -> side gain -> output.
// Lanes of another timeline (`timeline`) sound only while that one is current.
//
// Tells: "state" (playing, waiting, paused, ended), "gains".

import { balance, gainOf, sounds } from "./levels.js";
import { Pieces } from "./pieces.js";
import { pieceAt, songFrame, usableLoop } from "./schedule.js";

export const PIECE_S = 2;
const AHEAD_S = 5;
const LEAD_S = 0.08;
const TICK_MS = 120;
const RAMP_S = 0.012;
const SHORTEST_LOOP_S = 0.05;
export const KEPT_BYTES = 160e6;

export class Player extends EventTarget {
  /** `context`: an AudioContext (or an OfflineAudioContext in tests). */
  constructor(context) {
    super();
    this.context = context;
    this.rate = context.sampleRate;
    this.lanes = new Map();
    this.sides = new Map();
    this.pieces = new Pieces(KEPT_BYTES);
    this.output = context.createGain();
    this.meter = meterOf(context, this.output);
    this.output.connect(context.destination);
    this.timeline = "return";
    this.side = null;
    this.state = "paused";
    this.loop = null;
    this.run = null;
    this.restFrame = 0;
  }

  /**
   * Add a lane: {id, source, side, timeline, gainDb, pan, muted}. All lanes of a timeline start at its beginning; the
   * timeline is as long as its longest lane.
   */
  addLane({ id, source, side, timeline = "return", gainDb = 0, pan = 0, muted = false }) {
    const { context } = this;
    if (!this.sides.has(side)) this.#addSide(side);
    const input = context.createGain();
    input.channelCount = 2;
    input.channelCountMode = "explicit";
    const split = context.createChannelSplitter(2);
    const left = context.createGain();
    const right = context.createGain();
    const merge = context.createChannelMerger(2);
    const fader = context.createGain();
    input.connect(split);
    split.connect(left, 0).connect(merge, 0, 0);
    split.connect(right, 1).connect(merge, 0, 1);
    merge.connect(fader);
    fader.connect(this.sides.get(side).gain);
    const lane = { id, source, side, timeline, gainDb, pan, muted, solo: false, input, left, right, fader, meter: meterOf(context, fader) };
    this.lanes.set(id, lane);
    this.side ??= side;
    this.#applyGains(0);
    return lane;
  }

  #addSide(name) {
    const gain = this.context.createGain();
    gain.connect(this.output);
    this.sides.set(name, { gain, matchDb: 0 });
  }

  /** Frames of the current timeline. */
  get frames() { return this.#framesOf(this.timeline); }

  #framesOf(timeline) {
    return Math.max(0, ...[...this.lanes.values()].filter((lane) => lane.timeline === timeline).map((lane) => lane.source.frames));
  }

  get durationS() { return this.frames / this.rate; }
  get playing() { return this.state === "playing" || this.state === "waiting"; }

  /** Seconds into the current timeline, as heard now. */
  get positionS() { return this.positionFrame / this.rate; }

  get positionFrame() {
    if (!this.run || this.run.anchor === null) return this.restFrame;
    const latency = this.context.outputLatency || 0;
    const played = Math.max(0, Math.floor((this.context.currentTime - latency) * this.rate) - this.run.anchor);
    return songFrame(this.run.song, played, this.frames, this.run.loop);
  }

  async play() {
    if (this.playing || !this.frames) return;
    if (this.restFrame >= this.frames) this.restFrame = this.loop ? Math.round(this.loop.start * this.rate) : 0;
    if (this.context.state === "suspended" && this.context instanceof AudioContext) await this.context.resume();
    this.#start(this.restFrame);
  }

  pause() {
    if (!this.playing) return;
    this.restFrame = this.positionFrame;
    this.#halt();
    this.#setState("paused");
  }

  toggle() { return this.playing ? this.pause() : this.play(); }

  seek(seconds) {
    const frame = Math.max(0, Math.min(Math.round(seconds * this.rate), this.frames));
    const wasPlaying = this.playing;
    this.#halt();
    this.restFrame = frame;
    if (wasPlaying && frame < this.frames) this.#start(frame);
    else this.#setState("paused");
  }

  /** Loop between two moments ({start, end} in seconds), or not (null). */
  setLoop(loop) {
    this.loop = loop;
    if (this.playing) this.seek(this.positionS);
    this.dispatchEvent(new Event("state"));
  }

  /** Hear a side ("original", "mix", "master"). Where it lies on another timeline, `map` says which moment is which. */
  hear(side, timeline = "return", map = (seconds) => seconds) {
    this.side = side;
    if (timeline !== this.timeline) {
      const wasPlaying = this.playing;
      const at = map(this.positionS);
      this.#halt();
      this.timeline = timeline;
      this.loop = this.loop && { start: map(this.loop.start), end: map(this.loop.end) };
      this.restFrame = Math.min(Math.round(at * this.rate), this.frames);
      if (wasPlaying && this.restFrame < this.frames) this.#start(this.restFrame);
      else this.#setState("paused");
    }
    this.#applyGains(RAMP_S);
  }

  /** Start again where it is, so that a lane that has just come is heard at once. */
  refresh() { if (this.playing) this.seek(this.positionS); }

  /** Gains in dB by side: what loudness matching takes off. */
  match(gainsDb) {
    for (const [name, side] of this.sides) side.matchDb = gainsDb[name] ?? 0;
    this.#applyGains(RAMP_S);
  }

  /** Change a lane's fader: any of gainDb, pan, muted, solo. */
  set(id, change) {
    Object.assign(this.lanes.get(id), change);
    this.#applyGains(RAMP_S);
  }

  #applyGains(ramp) {
    const lanes = [...this.lanes.values()];
    for (const lane of lanes) {
      lane.audible = sounds(lane, lanes.filter((other) => other.side === lane.side && other.timeline === lane.timeline));
      this.#glide(lane.fader.gain, lane.audible ? gainOf(lane.gainDb) : 0, ramp);
      const [left, right] = balance(lane.pan);
      this.#glide(lane.left.gain, left, ramp);
      this.#glide(lane.right.gain, right, ramp);
    }
    for (const [name, side] of this.sides) this.#glide(side.gain.gain, name === this.side ? gainOf(side.matchDb) : 0, ramp);
    this.dispatchEvent(new Event("gains"));
  }

  #glide(parameter, value, ramp) {
    const now = this.context.currentTime;
    parameter.cancelScheduledValues(now);
    if (ramp > 0 && this.playing) parameter.setTargetAtTime(value, now, ramp / 3);
    else parameter.setValueAtTime(value, now);
  }

  // --- the clock

  #start(frame) {
    const run = {
      song: frame, anchor: null, planned: 0, ended: false, nodes: new Set(), abort: new AbortController(),
      loop: usableLoop(this.loop && { start: this.loop.start * this.rate, end: this.loop.end * this.rate }, this.frames, SHORTEST_LOOP_S * this.rate),
    };
    this.run = run;
    this.#setState("waiting");
    run.pump = this.#pump(run);
  }

  #halt() {
    const { run } = this;
    this.run = null;
    if (!run) return;
    run.abort.abort();
    clearTimeout(run.timer);
    for (const node of run.nodes) {
      node.onended = null;
      node.stop();
      node.disconnect();
    }
  }

  /** Keep `AHEAD_S` of sound scheduled. One call at a time for a run. */
  async #pump(run) {
    try {
      while (this.run === run && !run.ended && this.#needsMore(run)) await this.#scheduleNext(run);
    } catch (error) {
      if (this.run !== run || error.name === "AbortError") return;
      this.pause();
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
      return;
    }
    if (this.run !== run) return;
    if (run.ended && this.#heard(run) >= run.planned) {
      this.restFrame = this.frames;
      this.#halt();
      this.#setState("ended");
      return;
    }
    run.timer = setTimeout(() => { run.pump = this.#pump(run); }, TICK_MS);
  }

  #heard(run) { return run.anchor === null ? 0 : Math.floor(this.context.currentTime * this.rate) - run.anchor; }
  #needsMore(run) { return run.planned - this.#heard(run) < AHEAD_S * this.rate; }

  async #scheduleNext(run) {
    const grid = Math.round(PIECE_S * this.rate);
    const piece = pieceAt(run.song, run.planned, this.frames, run.loop, grid);
    if (piece === null) {
      run.ended = true;
      return;
    }
    const index = Math.floor(piece.song / grid);
    const lanes = [...this.lanes.values()].filter((lane) => lane.timeline === this.timeline);
    const late = setTimeout(() => this.run === run && run.anchor !== null && this.#isLate(run) && this.#setState("waiting"), 400);
    const buffers = await Promise.all(lanes.map((lane) => this.#buffer(lane, index, grid)));
    clearTimeout(late);
    if (this.run !== run) return;
    const soonest = Math.ceil((this.context.currentTime + LEAD_S) * this.rate);
    if (run.anchor === null || run.anchor + run.planned < soonest - LEAD_S * this.rate * 0.75) run.anchor = soonest - run.planned;
    for (const [at, lane] of lanes.entries()) if (buffers[at]) this.#startNode(run, lane, buffers[at], piece, index * grid);
    run.planned += piece.count;
    this.#setState("playing");
  }

  #isLate(run) { return this.#heard(run) >= run.planned; }

  #startNode(run, lane, buffer, piece, bufferSong) {
    const offset = piece.song - bufferSong;
    const count = Math.min(piece.count, buffer.length - offset);
    if (count <= 0) return;
    const node = this.context.createBufferSource();
    node.buffer = buffer;
    node.connect(lane.input);
    node.onended = () => {
      run.nodes.delete(node);
      node.disconnect();
    };
    node.start((run.anchor + run.planned) / this.rate, offset / buffer.sampleRate, count / buffer.sampleRate);
    run.nodes.add(node);
  }

  #buffer(lane, index, grid) {
    const first = index * grid;
    const count = Math.min(grid, lane.source.frames - first);
    if (count <= 0) return null;
    const bytes = count * lane.source.channels * 4;
    return this.pieces.get(`${lane.id}\n${index}`, bytes, async () => {
      const channels = await lane.source.read(first, count);
      const buffer = this.context.createBuffer(channels.length, count, this.rate);
      channels.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
      return buffer;
    });
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  close() {
    this.#halt();
    this.pieces.clear();
    this.lanes.clear();
    this.context.close?.();
  }
}

function meterOf(context, node) {
  const meter = context.createAnalyser();
  meter.fftSize = 1024;
  node.connect(meter);
  return meter;
}

const scratch = new Float32Array(1024);
/** Peak of the last 1024 frames that went through a meter, linear. */
export function peakOf(meter) {
  meter.getFloatTimeDomainData(scratch);
  let peak = 0;
  for (const value of scratch) peak = Math.max(peak, Math.abs(value));
  return peak;
}

/** Open a context at the song's own rate, so that nothing is resampled. Throws what people can read where it can't be. */
export function openContext(sampleRate) {
  try {
    return new AudioContext({ sampleRate, latencyHint: "playback" });
  } catch {
    throw new Error(`This browser cannot play sound at ${sampleRate / 1000} kHz; download the files and play them in your DAW.`);
  }
}
