// The report in words: what was heard, kept, fitted, how loud it is, and what made it. Pure: a manifest in, sentences out.

import { chordName, keyName, mergedChords } from "./chords.js";
import { bpm, capital, clock, listed, lufs, plain, plural, signed, span } from "./format.js";
import { ROLE_NAMES } from "./words.js";

const TEMPO_SOURCES = {
  estimated: "heard in the recording", given: "given with the request", request: "given with the request",
  file: "from the file", project: "from the project", style: "chosen by the style",
};
const sure = (confidence) => (confidence >= 0.75 ? "surely" : confidence >= 0.5 ? "probably" : "perhaps");

/** Return [{title, lines: [sentence, …]}], only what there is something to say about. */
export function report(manifest, styleName = (id) => id) {
  return [
    { title: "What was heard", lines: heard(manifest) },
    { title: "The new version", lines: made(manifest, styleName) },
    { title: "What was kept", lines: kept(manifest) },
    { title: "Loudness", lines: loudness(manifest) },
    { title: "What made it", lines: makers(manifest) },
    { title: "To know", lines: notes(manifest) },
  ].filter((part) => part.lines.length);
}

function heard({ analysis, source = [] }) {
  const lines = [];
  const [first] = source;
  if (first) {
    const name = source.length > 1 ? plural(source.length, "file") : fileName(first.path);
    const kind = `${first.format}, ${first.sample_rate / 1000} kHz, ${first.channels === 1 ? "mono" : first.channels === 2 ? "stereo" : plural(first.channels, "channel")}`;
    lines.push(`${name}: ${clock(Math.max(...source.map((item) => item.duration_s)))}, ${kind}.`);
  }
  if (!analysis) return lines;
  if (analysis.has_beat === false) lines.push("There is no steady beat in it.");
  else {
    const others = (analysis.tempo_candidates ?? []).filter((item) => Math.abs(item.bpm - analysis.tempo_bpm) > 1 && item.confidence > 0.2);
    lines.push(`The tempo is ${bpm(analysis.tempo_bpm)} in ${analysis.time_signature}, ${TEMPO_SOURCES[analysis.tempo_source] ?? analysis.tempo_source}`
      + `${analysis.steady ? " and steady" : ", and it moves"}${others.length ? `; it can also be felt at ${listed(others.slice(0, 2).map((item) => bpm(item.bpm)))}` : ""}.`);
  }
  lines.push(`The key is ${sure(analysis.key_confidence)} ${keyName(analysis.key)}${Math.abs(analysis.tuning_cents ?? 0) >= 4 ? `, tuned ${signed(analysis.tuning_cents, 0)} cents from 440 Hz` : ""}.`);
  const common = commonChords(analysis.chords ?? []);
  if (common.length) lines.push(`The chords it uses most are ${listed(common)}.`);
  if (analysis.sections?.length > 1) lines.push(`Its form: ${analysis.sections.map((part) => `${part.label} (${clock(part.start_s)})`).join(", ")}.`);
  lines.push(...(analysis.notes ?? []).map(ended));
  return lines;
}

/** The chords that sound longest, the longest first. */
export function commonChords(chords, most = 5) {
  const time = new Map();
  for (const chord of mergedChords(chords)) {
    const name = chordName(chord.label);
    time.set(name, (time.get(name) ?? 0) + chord.end_s - chord.start_s);
  }
  return [...time].sort((a, b) => b[1] - a[1]).slice(0, most).map(([name]) => name);
}

function made({ action, style, timeline, analysis, tracks = [], request = {} }, styleName) {
  const lines = [];
  const fresh = tracks.filter((track) => track.kind === "generated").map((track) => track.name);
  if (fresh.length) lines.push(`${style ? `In the style ${styleName(style)}, ` : ""}${style ? "these" : "These"} parts are new: ${listed(fresh)}.`);
  if (request.prompt) lines.push(`Asked for: “${request.prompt}”.`);
  const separated = tracks.filter((track) => track.kind === "separated").map((track) => track.name.toLowerCase());
  if (separated.length && action !== "remix") lines.push(`Separated: ${listed(separated)}.`);
  if (timeline?.tempo_bpm && analysis?.tempo_bpm && action !== "analyze") {
    const same = Math.abs(timeline.tempo_bpm - analysis.tempo_bpm) < 0.05;
    lines.push(same ? `It stays at the song's own ${bpm(timeline.tempo_bpm)}, bar for bar.` : `It plays at ${bpm(timeline.tempo_bpm)}; the song was at ${bpm(analysis.tempo_bpm)}.`);
  } else if (timeline?.tempo_bpm && action === "generate") lines.push(`It plays at ${bpm(timeline.tempo_bpm)} for ${clock(timeline.duration_s)}.`);
  if (request.energy && request.energy !== 1) lines.push(`Energy ${request.energy.toFixed(2)} times what the style asks for.`);
  if (request.brightness && request.brightness !== 1) lines.push(`Brightness ${request.brightness.toFixed(2)} times what the style asks for.`);
  lines.push(...(timeline?.notes ?? []).map(ended));
  return lines;
}

function kept({ action, sync = [], tracks = [] }) {
  const fitted = tracks.filter((track) => track.kind === "fitted");
  if (action === "remix" && !fitted.length) return ["Nothing of the original is kept: this is an instrumental."];
  if (action !== "remix" && action !== "sync") return [];
  const lines = fitted.length ? [`From the original: ${listed(fitted.map((track) => track.name))}.`] : [];
  return lines.concat(sync.map((item) => {
    const name = ROLE_NAMES[item.role] ?? capital(item.role);
    if (Math.abs(item.stretch_mean - 1) < 5e-4 && !item.pitch_semitones) return `${name} lies where it lay: nothing was stretched.`;
    const stretched = `${name} was made ${plain(Math.abs(item.stretch_mean - 1) * 100)} % ${item.stretch_mean > 1 ? "longer" : "shorter"}`;
    const pitch = item.pitch_semitones ? `, and moved by ${signed(item.pitch_semitones, 2)} semitones so that it sounds natural` : ", its pitch as it was";
    const off = item.residual_median_ms === null || item.residual_median_ms === undefined ? ""
      : `; it lies within ${plain(item.residual_median_ms)} ms of the bars (at worst ${plain(item.residual_worst_ms)} ms)`;
    return `${stretched}${pitch}${off}.`;
  }));
}

function loudness({ loudness: levels = {}, analysis }) {
  const names = { source: "The original", mix: "The mix", master: "The master" };
  const lines = Object.entries(levels).filter(([name]) => name in names).map(([name, level]) => {
    const peak = level.true_peak_dbtp === null ? "" : `, peaks at ${plain(level.true_peak_dbtp)} dBTP`;
    const range = level.lra_lu === null ? "" : `, range ${plain(level.lra_lu)} LU`;
    const wanted = level.target_lufs === null || level.target_lufs === undefined ? "" : ` (asked for: ${lufs(level.target_lufs)}, at most ${plain(level.ceiling_dbtp)} dBTP)`;
    return `${names[name]}: ${lufs(level.integrated_lufs)}${peak}${range}${wanted}.`;
  });
  if (!levels.source && Number.isFinite(analysis?.loudness_lufs)) lines.unshift(`The original: ${lufs(analysis.loudness_lufs)}.`);
  return lines.concat(Object.values(levels).flatMap((level) => (level.warnings ?? []).map(ended)));
}

function makers({ backends = [], device, seconds, times_real_time: speed, nrx_version: version, stages = [] }) {
  const lines = backends.map((item) => `${capital(item.stage)}: ${item.name} ${item.version}, ${ended(item.what)} Licence: ${ended(item.licence)}`
    + `${item.commercial_use === false ? " NOT for commercial releases." : ""}`);
  const cached = stages.filter((stage) => stage.cached).map((stage) => stage.stage);
  if (seconds) {
    lines.push(`It took ${seconds < 10 ? `${plain(seconds)} s` : span(seconds)} on ${device === "cpu" ? "the processor" : device}`
      + `${speed ? `, ${plain(speed)} times as fast as the music plays` : ""}${cached.length ? `; ${listed(cached)} had been done before` : ""}. NRX Bridge ${version}.`);
  }
  return lines;
}

const notes = ({ notes: said = [] }) => said.map(ended);
const ended = (sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
export const fileName = (path) => path.split(/[\\/]/).pop();
