// Mix stems, master a song, or both one after the other.

import { fill, h } from "../dom.js";
import { plural } from "../format.js";
import { icon } from "../icons.js";
import { masterAfter } from "../chain.js";
import { field, segments, select } from "../parts/fields.js";
import { Files } from "../parts/files.js";
import { jobList } from "../parts/job.js";
import { tell } from "../parts/toast.js";
import { MIX_ROLES } from "../words.js";

export function mixPage(app) {
  const files = new Files(app.api, {
    title: "Drop stems here, or choose them", hint: "One file an instrument, all starting together; a dozen or so. Roles are guessed from the names: correct them.",
    most: 32, roleNames: MIX_ROLES,
  });
  const action = segments({ label: "What to do", value: "both", onChange: refresh,
    options: [["both", "Mix and master"], ["mix", "Mix"], ["master", "Master"]] });
  let presets = [];
  let preset = "streaming";
  const presetPlace = h("div");
  const presetWords = h("p", { class: "hint" });
  const lufsInput = h("input", { type: "number", min: -40, max: -5, step: 0.5, inputmode: "decimal" });
  const ceilingInput = h("input", { type: "number", min: -9, max: -0.1, step: 0.1, inputmode: "decimal" });
  const targets = h("div", { class: "stack" }, presetPlace, presetWords,
    h("div", { class: "pair" }, field("Loudness, LUFS", lufsInput), field("Ceiling, dBTP", ceilingInput)));
  const start = h("button", { type: "submit", class: "primary large" });
  const note = h("p", { class: "hint start-note", role: "status" });
  const recent = jobList(app, () => app.store.list().filter((job) => job.action === "mix" || job.action === "master").slice(0, 6),
    h("p", {}, "No mixes yet."));
  let busy = false;

  app.api.presets().then((found) => {
    presets = found.mastering;
    choose(presets.some((item) => item.id === preset) ? preset : presets[0].id);
    fill(presetPlace, field("Sound of the master", select(presets.map((item) => [item.id, item.name]), preset, choose)));
  }, tell);

  function choose(id) {
    preset = id;
    const chosen = presets.find((item) => item.id === id);
    presetWords.textContent = chosen.description;
    lufsInput.value = chosen.lufs;
    ceilingInput.value = chosen.ceiling_dbtp;
  }
  files.addEventListener("change", refresh);

  const masters = () => action.value() !== "mix";
  const mixes = () => action.value() !== "master";

  function refresh() {
    files.showRoles(mixes());
    targets.hidden = !masters();
    const count = files.ready.length;
    const words = { both: "Mix and master", mix: "Mix", master: "Master" }[action.value()];
    fill(start, icon("play"), count ? `${words} · ${plural(count, mixes() ? "stem" : "song")}` : words);
    const problem = !files.items.length ? "Add files first." : files.pending ? "Waiting for the upload." : !count ? "None of the files can be used." : "";
    start.disabled = Boolean(problem) || busy;
    note.textContent = problem || (action.value() === "both" ? "The master follows by itself when the mix is done." : "");
  }

  const targetFields = () => ({ preset, lufs: Number(lufsInput.value), ceiling_dbtp: Number(ceilingInput.value) });

  async function submit(event) {
    event.preventDefault();
    if (start.disabled) return;
    busy = true;
    refresh();
    try {
      const inputs = files.inputs();
      if (mixes()) {
        const job = await app.submit({ action: "mix", inputs });
        if (masters()) {
          masterAfter(job.id, targetFields());
          app.take(await app.api.job(job.id));
        }
      } else for (const input of inputs) await app.submit({ action: "master", inputs: [input], ...targetFields() });
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
        h("aside", { class: "panel remix-side", "aria-label": "How" }, action.element, targets, start, note)),
      h("section", { class: "recent" }, h("h2", {}, "Mixes and masters"), recent.element)),
    close: () => recent.close(),
  };
}
