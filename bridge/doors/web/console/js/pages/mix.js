// Mix stems, master songs, or both. A reference is a song that the result is to sound like.

import { fill, h } from "../dom.js";
import { plural } from "../format.js";
import { icon } from "../icons.js";
import { field, segments, select } from "../parts/fields.js";
import { Files } from "../parts/files.js";
import { jobList } from "../parts/job.js";
import { tell } from "../parts/toast.js";
import { MASTER_ROLES, MIX_ROLES } from "../words.js";

const FIRST_PRESET = "streaming";
const RECENT = 6;

export function mixPage(app) {
  const files = new Files(app.api, {
    title: "Drop stems here, or choose them", hint: "One file an instrument, all starting together; a dozen or so. Roles are guessed from the names: correct them.",
    most: 32, roleNames: MIX_ROLES,
  });
  const action = segments({ label: "What to do", value: "both", onChange: () => { showPresets(); refresh(); },
    options: [["both", "Mix and master"], ["mix", "Mix"], ["master", "Master"]] });
  let presets = { mixing: [], mastering: [] };
  let preset = FIRST_PRESET;
  const presetPlace = h("div");
  const presetWords = h("p", { class: "hint" });
  const lufsInput = h("input", { type: "number", min: -40, max: -5, step: 0.5, inputmode: "decimal" });
  const ceilingInput = h("input", { type: "number", min: -9, max: -0.1, step: 0.1, inputmode: "decimal" });
  const targets = h("div", { class: "pair" }, field("Loudness, LUFS", lufsInput), field("Ceiling, dBTP", ceilingInput));
  const keepsLevels = h("input", { type: "checkbox" });
  const levels = h("label", { class: "check" }, keepsLevels, h("span", {}, "Keep the stems' own levels"));
  const start = h("button", { type: "submit", class: "primary large" });
  const note = h("p", { class: "hint start-note", role: "status" });
  const recent = jobList(app, () => app.store.list().filter((job) => job.action === "mix" || job.action === "master").slice(0, RECENT),
    h("p", {}, "No mixes yet."));
  let busy = false;

  const masters = () => action.value() !== "mix";
  const mixes = () => action.value() !== "master";
  const choices = () => (mixes() ? presets.mixing : presets.mastering);

  app.api.presets().then((found) => {
    presets = found;
    showPresets();
  }, tell);

  function showPresets() {
    if (!choices().length) return;
    choose(choices().some((item) => item.id === preset) ? preset : choices()[0].id);
    fill(presetPlace, field(mixes() ? "Sound" : "Sound of the master", select(choices().map((item) => [item.id, item.name]), preset, choose)));
  }

  function choose(id) {
    preset = id;
    presetWords.textContent = choices().find((item) => item.id === id).description;
    const target = presets.mastering.find((item) => item.id === id) ?? presets.mastering.find((item) => item.id === FIRST_PRESET);
    lufsInput.value = target?.lufs ?? "";
    ceilingInput.value = target?.ceiling_dbtp ?? "";
  }

  function refresh() {
    files.showRoles(mixes() || files.items.length > 1, mixes() ? MIX_ROLES : MASTER_ROLES);
    targets.hidden = !masters();
    levels.hidden = !mixes();
    const count = files.inputs().filter((input) => input.role !== "reference").length;
    const words = { both: "Mix and master", mix: "Mix", master: "Master" }[action.value()];
    fill(start, icon("play"), words);
    const problem = !files.items.length ? "Add files first." : files.pending ? "Waiting for the upload." : !files.ready.length ? "None of the files can be used."
      : !count ? "Every file is a reference; add what is to sound like it." : "";
    start.disabled = Boolean(problem) || busy;
    note.textContent = problem || plural(count, mixes() ? "stem" : "song");
  }
  files.addEventListener("change", refresh);

  /** The requests for what is chosen: one for a mix, one for each song to master. */
  function requests() {
    const inputs = files.inputs();
    const number = (input) => (input.value === "" ? {} : { [input === lufsInput ? "lufs" : "ceiling_dbtp"]: Number(input.value) });
    const aims = masters() ? { ...number(lufsInput), ...number(ceilingInput) } : {};
    if (mixes()) return [{ action: "mix", inputs, preset, ...aims, mixing: { master: masters(), respect_user_gains: keepsLevels.checked } }];
    const references = inputs.filter((input) => input.role === "reference");
    const songs = inputs.filter((input) => input.role !== "reference").map(({ upload, name }) => ({ upload, name }));
    return songs.map((song) => ({ action: "master", inputs: [song, ...references], preset, ...aims }));
  }

  async function submit(event) {
    event.preventDefault();
    if (start.disabled) return;
    busy = true;
    refresh();
    try {
      for (const request of requests()) await app.submit(request);
    } catch (error) {
      tell(error, "It was not accepted");
    }
    busy = false;
    refresh();
  }

  refresh();
  return {
    element: h("div", { class: "page" }, h("h1", {}, "Mix and master"),
      h("form", { class: "remix", onSubmit: submit }, h("div", { class: "remix-main" }, files.element),
        h("aside", { class: "panel remix-side", "aria-label": "How" }, action.element, h("div", { class: "stack" }, presetPlace, presetWords, targets, levels), start, note)),
      h("section", { class: "recent" }, h("h2", {}, "Mixes and masters"), recent.element)),
    close: () => recent.close(),
  };
}
