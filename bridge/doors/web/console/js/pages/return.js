// A return: its mixer, its report in words, its files.

import { keyName } from "../chords.js";
import { fill, h } from "../dom.js";
import { ago, bpm, bytes, clock } from "../format.js";
import { icon } from "../icons.js";
import { mixer } from "../parts/mixer.js";
import { tell } from "../parts/toast.js";
import { Deck } from "../player/deck.js";
import { report } from "../report.js";
import { ACTIONS } from "../words.js";

export function returnPage(app, id) {
  const element = h("div", { class: "page wide" }, h("p", { class: "loading", role: "status" }, "Opening the return …"));
  let closed = false;
  let desk = null;

  async function open() {
    const manifest = await app.api.manifest(id);
    if (closed) return;
    document.title = `${titleOf(manifest)} – NRX Bridge`;
    const place = h("div", { class: "desk" }, h("p", { class: "loading", role: "status" }, "Opening the tracks …"));
    fill(element, header(app, id, manifest), place, h("div", { class: "two" }, reportPart(app, manifest), filesPart(app, id, manifest)));
    desk = await openDesk(app, id, manifest, place);
    if (closed) desk?.close();
  }

  open().catch((error) => {
    if (!closed) fill(element, h("h1", {}, "Return"), h("p", { class: "problem", role: "alert" }, error.sentence ?? error.message), h("p", {}, h("a", { href: "#/library" }, "To the library")));
  });
  return {
    element,
    close() {
      closed = true;
      desk?.close();
    },
  };
}

/** Put a return's mixer into `place`; returns it, or null where there is nothing to play. */
export async function openDesk(app, id, manifest, place, options = {}) {
  const deck = new Deck(app, id, manifest);
  try {
    await deck.open();
    const shown = mixer(app, deck, options);
    fill(place, shown.element);
    return shown;
  } catch (error) {
    deck.close();
    fill(place, h("p", { class: "problem", role: "alert" }, `The tracks can't be played here: ${error.sentence ?? error.message}`));
    return null;
  }
}

const titleOf = (manifest) => manifest.folder.split(/[\\/]/).pop();

function header(app, id, manifest) {
  const { timeline, analysis, style, action } = manifest;
  const facts = [
    ACTIONS[action], style && app.styleName(style), timeline?.duration_s && clock(timeline.duration_s), timeline?.tempo_bpm && bpm(timeline.tempo_bpm),
    analysis?.key && keyName(analysis.key), ago(Date.parse(manifest.created_utc) / 1000, Date.now() / 1000),
  ].filter(Boolean);
  return h("header", { class: "return-head", style: { "--style": app.styleColour(style) } },
    h("div", {}, h("h1", {}, titleOf(manifest)), h("p", { class: "hint" }, facts.join(" · "))),
    h("button", { type: "button", class: "primary", onClick: () => app.api.download(app.api.zipPath(id)).catch(tell) }, icon("download"), "Everything as a zip"));
}

function reportPart(app, manifest) {
  return h("section", { class: "report", "aria-label": "Report" }, h("h2", {}, "Report"),
    report(manifest, (style) => app.styleName(style)).map((part) => h("section", {}, h("h3", {}, part.title), part.lines.map((line) => h("p", {}, line)))));
}

function filesPart(app, id, manifest) {
  const tracks = (manifest.tracks ?? []).map((track) => [track.file, track.name, `${SUBTYPES[track.subtype] ?? track.subtype}, ${track.sample_rate / 1000} kHz · ${bytes(size(track))}`, track.colour]);
  const others = Object.entries(manifest.files ?? {}).map(([name, file]) => [file, name, file.split(".").pop().toUpperCase(), null]);
  const rows = [...tracks.sort((a, b) => Number(a[0].includes("/")) - Number(b[0].includes("/"))), ...others, ["manifest.json", "Manifest", "JSON", null]];
  return h("section", { class: "return-files", "aria-label": "Files" }, h("h2", {}, "Files"),
    h("ul", {}, rows.map(([file, name, facts, colour]) => h("li", {},
      h("i", { class: "swatch", style: { "--track": colour ?? "var(--line-strong)" } }),
      h("span", { class: "file-words" }, h("span", { class: "file-name" }, name), h("span", { class: "hint" }, `${facts} · ${file}`)),
      h("button", { type: "button", class: "ghost", "aria-label": `Download ${file}`, title: `Download ${file}`,
        onClick: () => app.api.download(app.api.filePath(id, file), file.split("/").pop()).catch(tell) }, icon("download", 17))))),
    h("p", { class: "hint folder" }, "In ", h("code", {}, manifest.folder)));
}

const SUBTYPES = { PCM_16: "16 bit", PCM_24: "24 bit", PCM_32: "32 bit", FLOAT: "32 bit float", DOUBLE: "64 bit float" };
const WIDTHS = { PCM_16: 2, PCM_24: 3, PCM_32: 4, FLOAT: 4, DOUBLE: 8 };
const size = (track) => track.frames * track.channels * (WIDTHS[track.subtype] ?? 4);
