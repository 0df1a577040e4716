// Music from words: what is asked for, and a player that starts with the first piece of the return.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { field, segments, select } from "../parts/fields.js";
import { jobRow } from "../parts/job.js";
import { tell } from "../parts/toast.js";
import { GENERATED_STEMS } from "../words.js";
import { openDesk } from "./return.js";

const IDEAS = ["dark techno, 128 bpm", "slow neo-soul in E minor", "warm lo-fi for a rainy evening", "orchestral, heroic, D major", "synthwave night drive at 110"];

export function generatePage(app) {
  const prompt = h("textarea", { rows: 3, maxlength: 500, required: true, placeholder: "A style, a mood, a tempo, a key …", name: "prompt" });
  const ideas = h("div", { class: "ideas", role: "group", "aria-label": "Ideas" }, IDEAS.map((idea) => h("button", { type: "button", class: "chip", onClick: () => {
    prompt.value = idea;
    prompt.focus();
  } }, idea)));
  const duration = segments({ label: "Length", value: "30", options: [["15", "15 s"], ["30", "30 s"], ["60", "1 min"], ["120", "2 min"]] });
  let stem = "";
  let style = "";
  const plays = h("input", { type: "checkbox", checked: true });
  const start = h("button", { type: "submit", class: "primary large" }, icon("words"), "Generate");
  const status = h("ul", { class: "jobs" });
  const place = h("div", { class: "desk" });
  let row = null;
  let desk = null;
  let closed = false;

  const change = ({ detail }) => {
    if (!row || detail.job.id !== row.job.id) return;
    if (detail.type === "deleted") return clear();
    row.update(detail.job);
    if (detail.job.state === "succeeded" && detail.before?.state !== "succeeded") open(detail.job.id).catch(tell);
    return undefined;
  };
  app.store.addEventListener("change", change);

  function clear() {
    desk?.close();
    desk = null;
    row = null;
    app.shown = null;
    fill(status);
    fill(place);
  }

  async function open(id) {
    const manifest = await app.api.manifest(id);
    if (closed || row?.job.id !== id) return;
    desk = await openDesk(app, id, manifest, place);
    if (closed) desk?.close();
    else if (plays.checked) desk?.play();
  }

  async function submit(event) {
    event.preventDefault();
    start.disabled = true;
    try {
      clear();
      const job = await app.submit({
        action: "generate", prompt: prompt.value.trim(), duration_s: Number(duration.value()), ...(stem ? { stem } : {}), ...(style ? { style } : {}),
        seed: crypto.getRandomValues(new Uint32Array(1))[0],
      });
      app.shown = job.id;
      row = jobRow(app, app.store.get(job.id) ?? job);
      status.append(row.element);
      if (row.job.state === "succeeded") await open(job.id);
    } catch (error) {
      tell(error, "It was not accepted");
    }
    start.disabled = false;
  }

  return {
    element: h("div", { class: "page" }, h("h1", {}, "Generate from words"),
      h("form", { class: "remix", onSubmit: submit },
        h("div", { class: "remix-main stack" }, field("What should it be?", prompt), ideas, status),
        h("aside", { class: "panel remix-side", "aria-label": "How" }, duration.element,
          field("What to play", select(GENERATED_STEMS, stem, (value) => { stem = value; })),
          field("Style", select([["", "As the words say"], ...app.styles.map((item) => [item.id, item.name])], style, (value) => { style = value; })),
          h("label", { class: "check" }, plays, h("span", {}, "Play it when it is there")), start,
          h("p", { class: "hint" }, "The sound starts as soon as the return is published, while the rest of its files still load. "
            + "The backend without downloads, the arranger, publishes its music whole."))),
      place),
    close() {
      closed = true;
      app.shown = null;
      app.store.removeEventListener("change", change);
      desk?.close();
    },
  };
}
