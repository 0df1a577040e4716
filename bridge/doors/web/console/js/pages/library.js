// The library: every return on disk, newest first, searched by words.

import { keyName } from "../chords.js";
import { fill, h } from "../dom.js";
import { ago, bpm, clock, lufs, plural } from "../format.js";
import { icon } from "../icons.js";
import { tell } from "../parts/toast.js";
import { ACTIONS } from "../words.js";

const PAGE = 48;
const WAIT_MS = 180;

export function libraryPage(app) {
  const input = h("input", { type: "search", placeholder: "Song, style, key, date …", "aria-label": "Search returns", onInput: () => {
    clearTimeout(timer);
    timer = setTimeout(load, WAIT_MS);
  } });
  const grid = h("ul", { class: "returns" });
  const said = h("p", { class: "hint", role: "status" });
  const more = h("button", { type: "button", class: "quiet", hidden: true, onClick: () => load(true) }, "Show more");
  let timer = 0;
  let turn = 0;
  let next = null;

  async function load(goesOn = false) {
    turn += 1;
    const mine = turn;
    try {
      const page = await app.api.returns({ search: input.value.trim(), limit: PAGE, before: goesOn === true ? next : null });
      if (mine !== turn) return;
      if (goesOn !== true) fill(grid);
      grid.append(...page.returns.map((item) => card(app, item)));
      next = page.next;
      more.hidden = !next;
      const words = input.value.trim();
      said.textContent = page.total ? plural(page.total, "return") : words ? `No return has “${words}” in its title, style, key or date.` : "Nothing has come back yet.";
    } catch (error) {
      tell(error);
    }
  }
  const change = ({ detail }) => detail.type === "succeeded" && load();
  app.store.addEventListener("change", change);
  load();
  return {
    element: h("div", { class: "page" }, h("h1", {}, "Library"),
      h("div", { class: "tools" }, h("div", { class: "search" }, icon("search", 16), input), said), grid, more),
    close() {
      clearTimeout(timer);
      turn += 1;
      app.store.removeEventListener("change", change);
    },
  };
}

function card(app, item) {
  const facts = [item.duration_s && clock(item.duration_s), item.tempo_bpm && bpm(item.tempo_bpm), item.key && keyName(item.key),
    item.loudness_lufs !== null && item.loudness_lufs !== undefined && lufs(item.loudness_lufs)].filter(Boolean);
  return h("li", { style: { "--style": app.styleColour(item.style) } },
    h("a", { class: "return-card", href: `#/return/${encodeURIComponent(item.job_id)}` },
      h("span", { class: "return-title" }, item.title),
      h("span", { class: "hint" }, [ACTIONS[item.action] ?? item.action, item.style && app.styleName(item.style), item.tracks && plural(item.tracks, "track")].filter(Boolean).join(" · ")),
      h("span", { class: "facts" }, facts.map((fact) => h("span", {}, fact))),
      h("span", { class: "hint" }, ago(Date.parse(item.created_at) / 1000, Date.now() / 1000))));
}
