// The first page: a song in, a style, go. Separation and analysis start here too.

import { fill, h } from "../dom.js";
import { plural } from "../format.js";
import { icon } from "../icons.js";
import { checks, factorSlider, field, segments } from "../parts/fields.js";
import { Files } from "../parts/files.js";
import { jobList } from "../parts/job.js";
import { styleCards } from "../parts/styles.js";
import { tell } from "../parts/toast.js";
import { songRole } from "../roles.js";
import { BRIGHTNESS_WORDS, ENERGY_WORDS, KEEP, SONG_ROLES } from "../words.js";

const RECENT = 6;
const STYLE_KEY = "nrx.style";

export function remixPage(app) {
  const files = new Files(app.api, {
    title: "Drop a song here, or choose it", hint: "WAV, AIFF, FLAC, MP3, OGG, M4A. Several files can be stems of one song.",
    roleNames: SONG_ROLES, roleOf: songRole,
  });
  let style = app.style(localStorage.getItem(STYLE_KEY))?.id ?? app.styles[0]?.id ?? null;
  const action = segments({ label: "What to do", value: "remix", onChange: refresh,
    options: [["remix", "Remix"], ["separate", "Separate"], ["analyze", "Analyze"]] });
  const many = segments({ label: "These files are", value: "stems", onChange: refresh,
    options: [["stems", "stems of one song"], ["songs", "a song each"]] });
  const cards = styleCards(app.styles, style, (id) => {
    style = id;
    localStorage.setItem(STYLE_KEY, id);
    refresh();
  });
  const energy = factorSlider({ label: "Energy", words: ENERGY_WORDS, low: "calmer", high: "livelier", name: "energy" });
  const brightness = factorSlider({ label: "Brightness", words: BRIGHTNESS_WORDS, low: "darker", high: "brighter", name: "brightness" });
  const bpmInput = h("input", { type: "number", min: 20, max: 400, step: 0.1, value: 120, inputmode: "decimal" });
  const bpmField = field("Beats per minute", bpmInput);
  const tempo = segments({ label: "Tempo", value: "project", onChange: refresh,
    options: [["project", "the song's", "Bars stay where they are"], ["style", "the style's", "The voice is fitted"], ["set", "set"]] });
  const keep = checks({ label: "Keep from the original", options: KEEP, values: ["vocals"], onChange: refresh });
  const keepHint = h("p", { class: "hint" });
  const note = h("p", { class: "hint start-note", role: "status" });
  const start = h("button", { type: "submit", class: "primary large" });
  const options = h("div", { class: "stack" }, energy.element, brightness.element, tempo.element, bpmField, h("div", {}, keep.element, keepHint));
  const form = h("form", { class: "remix", onSubmit: submit },
    h("div", { class: "remix-main" }, h("div", { class: "stack" }, files.element, many.element), cards),
    h("aside", { class: "panel remix-side", "aria-label": "How" }, action.element, options, start, note));
  const recent = jobList(app, () => app.store.list().slice(0, RECENT),
    h("p", {}, "Nothing yet. Drop a song above: the default needs no downloads and nothing leaves this machine."));
  let busy = false;

  files.addEventListener("change", ({ detail }) => {
    refresh();
    if (detail.note) note.textContent = detail.note;
  });

  function refresh() {
    const several = files.items.length > 1;
    const asStems = several && many.value() === "stems";
    const isRemix = action.value() === "remix";
    many.element.hidden = !several;
    files.showRoles(asStems);
    cards.hidden = !isRemix;
    options.hidden = !isRemix;
    bpmField.hidden = tempo.value() !== "set";
    keepHint.textContent = keep.value().length ? "" : "Nothing is kept: an instrumental.";
    const songs = several && !asStems ? files.ready.length : 1;
    const names = { remix: `Remix${style ? ` in ${app.styleName(style)}` : ""}`, separate: "Separate into stems", analyze: "Listen to it" };
    fill(start, icon("play"), names[action.value()]);
    const problem = missing();
    start.disabled = Boolean(problem) || busy;
    note.textContent = problem || (songs > 1 ? plural(songs, "song") : "");
  }

  function missing() {
    if (!files.items.length) return "Add a song first.";
    if (files.pending) return "Waiting for the upload.";
    if (!files.ready.length) return "None of the files can be used.";
    if (action.value() === "remix" && !style) return "Choose a style.";
    return "";
  }

  function request(inputs) {
    if (action.value() !== "remix") return { action: action.value(), inputs };
    return {
      action: "remix", inputs, style, energy: energy.value(), brightness: brightness.value(),
      tempo: tempo.value() === "set" ? Number(bpmInput.value) : tempo.value(), keep: keep.value(),
    };
  }

  async function submit(event) {
    event.preventDefault();
    if (missing() || busy) return;
    busy = true;
    refresh();
    try {
      const inputs = files.inputs();
      const jobs = files.showsRoles ? [inputs] : inputs.map((input) => [input]);
      for (const each of jobs) await app.submit(request(each));
      recent.element.scrollIntoView({ block: "nearest", behavior: "auto" });
    } catch (error) {
      tell(error, "It was not accepted");
    }
    busy = false;
    refresh();
  }

  refresh();
  return {
    element: h("div", { class: "page" }, h("h1", {}, "Remix a song"), form,
      h("section", { class: "recent" }, h("div", { class: "row-between" }, h("h2", {}, "Jobs"), h("a", { href: "#/jobs" }, "All jobs")), recent.element)),
    close: () => recent.close(),
  };
}
