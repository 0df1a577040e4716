// From a return's manifest to a player: lanes for its tracks, its master and the original, and the sides to compare.
//
// Sides: "mix" is the tracks through the faders (or mix.wav where there are no tracks), "master" the mastered file,
// "original" what was sent in. Where the new version has a tempo of its own, the original and the stems separated from it
// lie on another timeline; the same bar is the same moment then.

import { mergedChords } from "../chords.js";
import { mapTime, sameTimeline } from "./bars.js";
import { matchedGains, sideLoudness } from "./levels.js";
import { openContext, Player } from "./player.js";
import { openOriginal, WavSource } from "./sources.js";

const MOST_ORIGINALS = 24;

/** Sort a manifest's tracks: strips of the desk, and the file of each rendered side. Pure. */
export function layout(manifest) {
  const tracks = manifest.tracks ?? [];
  const strips = tracks.filter((track) => track.kind !== "mix" && track.kind !== "master");
  const mixFile = tracks.find((track) => track.kind === "mix") ?? null;
  const masterFile = tracks.find((track) => track.kind === "master") ?? null;
  const here = manifest.timeline?.downbeats_s ?? [];
  const there = manifest.analysis?.downbeats_s ?? [];
  const isOneTimeline = sameTimeline(here, there);
  const sides = [
    (manifest.source ?? []).length ? "original" : null,
    strips.length || mixFile ? "mix" : null,
    masterFile ? "master" : null,
  ].filter(Boolean);
  return { strips, mixFile, masterFile, sides, here, there, isOneTimeline };
}

/** What the sides' loudness is and what matching takes off, in dB. Pure. */
export function matching(manifest) {
  const levels = sideLoudness(manifest);
  return { levels, gains: matchedGains(levels) };
}

export class Deck {
  constructor(app, id, manifest) {
    Object.assign(this, { app, id, manifest, ...layout(manifest) });
    this.match = matching(manifest);
    this.abort = new AbortController();
    const rate = manifest.tracks?.[0]?.sample_rate ?? manifest.source?.[0]?.sample_rate ?? 44100;
    this.player = new Player(openContext(rate));
    this.originalsAre = this.isOneTimeline && (manifest.source ?? []).length === 1 ? "return" : "source";
    this.original = null;
    this.missing = new Map();
  }

  /** Open what plays first; the original comes after. */
  async open() {
    const { strips, mixFile, masterFile } = this;
    const lanes = strips.map((track) => {
      const isElsewhere = track.kind === "separated" && !this.isOneTimeline;
      return this.#lane(track, isElsewhere ? "original" : "mix", isElsewhere ? "source" : "return");
    });
    if (!strips.length && mixFile) lanes.push(this.#lane({ ...mixFile, muted: false }, "mix", "return"));
    if (masterFile) lanes.push(this.#lane({ ...masterFile, muted: false }, "master", "return"));
    await Promise.all(lanes);
    this.player.match(this.match.gains);
    const first = this.sides.find((side) => side !== "original");
    if (first) this.player.hear(first, "return");
    if (!first || this.originalsAre === "return") await this.openOriginals();
    if (!first) this.player.hear("original", this.originalsAre);
  }

  async #lane(track, side, timeline) {
    const source = await WavSource.open(this.app.api, this.app.api.filePath(this.id, track.file), this.abort.signal);
    if (source.sampleRate !== this.player.rate) throw new Error(`${track.name} is at ${source.sampleRate} Hz, and the other tracks are not`);
    this.player.addLane({ id: track.file, source, side, timeline, gainDb: track.gain_db, pan: track.pan ?? 0, muted: track.muted });
  }

  /** Open the original, once. Where it can't be played `missing` says why. */
  openOriginals() {
    this.original ??= this.#openOriginals();
    return this.original;
  }

  async #openOriginals() {
    const sources = (this.manifest.source ?? []).slice(0, MOST_ORIGINALS);
    try {
      for (const [index, item] of sources.entries()) {
        const path = this.app.api.sourcePath(this.id) + (index ? `?index=${index}` : "");
        const source = await openOriginal(this.app.api, path, this.player.context, item.duration_s, this.abort.signal);
        this.player.addLane({ id: `original ${index}`, source, side: "original", timeline: this.originalsAre });
      }
      this.player.match(this.isMatched ? this.match.gains : {});
    } catch (error) {
      if (error.name !== "AbortError") this.missing.set("original", error.sentence ?? error.message);
    }
  }

  get isMatched() { return this.matched ?? true; }

  setMatched(matched) {
    this.matched = matched;
    this.player.match(matched ? this.match.gains : {});
  }

  async hear(side) {
    if (side === "original") await this.openOriginals();
    if (this.missing.has(side)) return false;
    const timeline = side === "original" ? this.originalsAre : "return";
    this.player.hear(side, timeline, (seconds) => this.isOneTimeline ? seconds
      : timeline === "source" ? mapTime(seconds, this.here, this.there) : mapTime(seconds, this.there, this.here));
    if (side === "original") this.player.refresh();
    return true;
  }

  /** Bars, chords and sections of the timeline that is heard. */
  get music() {
    this.musics ??= new Map();
    if (!this.musics.has(this.player.timeline)) this.musics.set(this.player.timeline, this.#music());
    return this.musics.get(this.player.timeline);
  }

  #music() {
    const { timeline, analysis } = this.manifest;
    const isThere = this.player.timeline === "source" && !this.isOneTimeline;
    const own = isThere || !timeline ? analysis : timeline;
    const or = (name) => (own?.[name]?.length ? own[name] : (isThere ? [] : analysis?.[name] ?? []));
    return { downbeats: or("downbeats_s"), chords: mergedChords(or("chords")), sections: or("sections") };
  }

  close() {
    this.abort.abort();
    this.player.close();
  }
}
