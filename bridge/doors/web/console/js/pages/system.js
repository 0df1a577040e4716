// The daemon at a glance: doors, folders and what waits in them, disk, backends, version; and this browser's settings.

import { fill, h } from "../dom.js";
import { bytes, capital, span } from "../format.js";
import { segments } from "../parts/fields.js";
import { tell } from "../parts/toast.js";
import { forgetToken } from "../session.js";
import { setTheme, theme, THEMES } from "../theme.js";

const EVERY_MS = 5000;

export function systemPage(app) {
  const place = h("div", { class: "cards" }, h("p", { class: "loading", role: "status" }, "Asking the daemon …"));
  const colours = segments({ label: "Colours", options: THEMES, value: theme(), onChange: setTheme });
  const own = h("section", { class: "panel" }, h("h2", {}, "This browser"), colours.element,
    h("p", { class: "hint" }, "Signing out forgets this browser's access. ", h("code", {}, "nrx open"), " lets you in again."),
    h("button", { type: "button", class: "quiet own", onClick: () => { forgetToken(); location.reload(); } }, "Sign out"));
  let last = "";

  async function load() {
    try {
      const system = await app.api.system();
      const text = JSON.stringify(system);
      if (text !== last) fill(place, cards(app, system));
      last = text;
    } catch (error) {
      if (!last) fill(place, h("p", { class: "problem" }, error.sentence ?? error.message));
    }
  }
  load();
  const timer = setInterval(() => document.visibilityState === "visible" && load(), EVERY_MS);
  return { element: h("div", { class: "page" }, h("h1", {}, "System"), place, own), close: () => clearInterval(timer) };
}

const card = (title, ...content) => h("section", { class: "panel" }, h("h2", {}, title), content);
const facts = (rows) => h("dl", { class: "facts-list" }, rows.filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

function cards(app, system) {
  const { disk = {}, memory = {}, folders = [], waiting = [], backends = {}, doors = {}, settings } = system;
  const used = disk.total_bytes ? 1 - disk.free_bytes / disk.total_bytes : 0;
  return [
    card("Daemon", facts([["Version", system.version], ["Protocol", system.protocol], ["Device", system.device === "cpu" ? "processor" : system.device],
      ["Workers", shown(system.workers)], ["Runs for", Number.isFinite(system.uptime_s) && span(system.uptime_s)], ["Home", system.home && h("code", {}, system.home)]].map(([name, value]) => [name, value || null]))),
    card("Doors", facts([...Object.entries(doors), ["osc_port", system.osc_port]].map(([name, value]) => [DOOR_NAMES[name] ?? words(name), doorShown(value)]))),
    card("Disk and memory",
      h("meter", { min: 0, max: 1, high: 0.9, value: used, "aria-label": "Disk used" }),
      facts([["Free on the disk", bytes(disk.free_bytes)], ["Daemon's memory", bytes(memory.daemon_bytes)], ["A job may use", bytes(memory.limit_bytes)], ["Cache", Number.isFinite(disk.cache_bytes) ? bytes(disk.cache_bytes) : null]])),
    card("Backends", h("ul", { class: "plain" }, Object.entries(backends).map(([name, item]) => h("li", { class: "row-between" },
      h("span", {}, h("strong", {}, name), h("span", { class: "hint" }, ` ${item.stage ?? ""}`)),
      h("span", { class: "badge", data: { state: item.installed ? "succeeded" : "queued" } }, item.installed ? "installed" : "not installed"))))),
    card("Watched folders", folders.length ? h("ul", { class: "plain" }, folders.map((folder) => h("li", {}, h("code", {}, folder.path),
      h("p", { class: "hint" }, [capital(folder.action ?? ""), folder.style && app.styleName(folder.style), folder.polling && "polled"].filter(Boolean).join(" · ")))))
      : h("p", { class: "hint" }, "None. ", h("code", {}, "nrx serve --watch DIR=STYLE"), " watches one, or a [[watch]] table in nrx.toml."),
    waiting.length > 0 && [h("h3", {}, "Waiting to be complete"), h("ul", { class: "plain waiting" }, waiting.map((file) => h("li", {}, h("code", {}, file.path ?? file.name ?? String(file)),
      h("p", { class: "hint" }, [Number.isFinite(file.bytes) && bytes(file.bytes), file.reason, Number.isFinite(file.waited_s) && `for ${span(file.waited_s)}`].filter(Boolean).join(" · ")))))]),
    settings && card("Settings", facts(settingRows(settings)), h("p", { class: "hint" }, "From ", h("code", {}, "nrx.toml"), " in the home folder, or NRX_ variables.")),
  ];
}

const DOOR_NAMES = { http: "HTTP, console", osc: "OSC", osc_port: "OSC port", spool: "Spool", folder: "Watched folders", event_clients: "Listening to events" };
/** Settings one a row, named as in nrx.toml: "jobs.lease_s". */
const settingRows = (settings, stem = "") => Object.entries(settings).flatMap(([name, value]) => (value && typeof value === "object" && !Array.isArray(value)
  ? settingRows(value, `${stem}${name}.`) : [[h("code", {}, stem + name), shown(value)]]));
const words = (name) => capital(name.replaceAll("_", " "));
const doorShown = (value) => shown(value).replace(/^https?:\/\//, "");

function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(shown).join(", ") || "none";
  if (typeof value === "object") return Object.entries(value).map(([name, item]) => `${words(name)}: ${shown(item)}`).join(", ");
  return String(value);
}
