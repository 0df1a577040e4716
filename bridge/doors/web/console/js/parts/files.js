// Files to work on: dropped or chosen, sent to the daemon at once with progress, each with a role where roles are meant.
//
// Tells "change" whenever a file comes, goes, is ready or gets another role.

import { fill, h } from "../dom.js";
import { bytes, clock, percent } from "../format.js";
import { icon } from "../icons.js";
import { guessRole } from "../roles.js";
import { select } from "./fields.js";

const TYPES = ".wav,.wave,.aif,.aiff,.flac,.ogg,.oga,.opus,.mp3,.m4a,.mp4,.aac,.w64,.rf64,.caf,audio/*";

export class Files extends EventTarget {
  /** `roles`: null, or (guessed role) -> role, with `roleNames` the choices. */
  constructor(api, { title, hint, most = 64, roleNames = [], roleOf = (role) => role }) {
    super();
    Object.assign(this, { api, most, roleNames, roleOf });
    this.showsRoles = false;
    this.items = [];
    this.input = h("input", { type: "file", accept: TYPES, multiple: most > 1, class: "visually-hidden", tabindex: -1, "aria-label": title,
      onChange: () => { this.add([...this.input.files]); this.input.value = ""; } });
    this.list = h("ul", { class: "files", "aria-label": "Files" });
    this.button = h("button", { type: "button", class: "drop", onClick: () => this.input.click() },
      icon("upload", 28), h("span", { class: "drop-title" }, title), h("span", { class: "hint" }, hint));
    this.element = h("div", { class: "dropzone" }, this.button, this.input, this.list);
    for (const name of ["dragenter", "dragover"]) this.element.addEventListener(name, (event) => this.#over(event, true));
    for (const name of ["dragleave", "drop"]) this.element.addEventListener(name, (event) => this.#over(event, false));
    this.element.addEventListener("drop", (event) => this.add([...event.dataTransfer.files]));
  }

  get ready() { return this.items.filter((item) => item.upload); }
  get pending() { return this.items.some((item) => !item.upload && !item.error); }

  /** Inputs for a request. */
  inputs() { return this.ready.map((item) => ({ upload: item.upload.id, name: item.upload.name, ...(this.showsRoles ? { role: this.#role(item) } : {}) })); }

  /** Show a choice of roles at each file, or none. */
  showRoles(shows, roleNames = this.roleNames) {
    if (this.showsRoles === shows && this.roleNames === roleNames) return;
    Object.assign(this, { showsRoles: shows, roleNames });
    for (const item of this.items) this.#show(item);
  }

  add(files) {
    const room = this.most === 1 ? 1 : this.most - this.items.length;
    if (this.most === 1) for (const item of [...this.items]) this.remove(item);
    for (const file of files.slice(0, Math.max(0, room))) this.#send(file);
    if (files.length > room) this.#changed(`Only ${this.most} files fit in one job; the others were left out.`);
  }

  remove(item) {
    item.abort.abort();
    item.element.remove();
    this.items = this.items.filter((other) => other !== item);
    this.#changed();
  }

  clear() { for (const item of [...this.items]) this.remove(item); }

  async #send(file) {
    const item = { file, role: this.roleOf(guessRole(file.name)), fraction: 0, abort: new AbortController(), element: h("li", { class: "file" }) };
    this.items.push(item);
    this.list.append(item.element);
    this.#show(item);
    this.#changed();
    try {
      item.upload = await this.api.upload(file, (fraction) => this.#progress(item, fraction), item.abort.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      item.error = error.sentence ?? error.message;
    }
    this.#show(item);
    this.#changed();
  }

  #progress(item, fraction) {
    item.fraction = fraction;
    item.bar?.setAttribute("value", String(fraction));
    if (item.said) item.said.textContent = fraction < 1 ? `sending, ${percent(fraction)}` : "checking";
  }

  #show(item) {
    const { file, upload, error } = item;
    const details = upload
      ? [upload.duration_s && clock(upload.duration_s), upload.sample_rate && `${upload.sample_rate / 1000} kHz`, bytes(upload.bytes)].filter(Boolean).join(" · ")
      : `sending, ${percent(item.fraction)}`;
    item.said = h("span", { class: "hint" }, details);
    item.bar = upload || error ? null : h("progress", { max: 1, value: item.fraction, "aria-label": `Sending ${file.name}` });
    fill(item.element,
      icon(error ? "warn" : "file", 20),
      h("div", { class: "file-words" }, h("span", { class: "file-name", title: file.name }, file.name),
        error ? h("span", { class: "problem", role: "alert" }, error) : item.said, item.bar),
      this.showsRoles && !error && select(this.roleNames, this.#role(item), (role) => { item.role = role; this.#changed(); }, `Role of ${file.name}`),
      h("button", { type: "button", class: "ghost", "aria-label": `Remove ${file.name}`, onClick: () => this.remove(item) }, icon("close", 16)));
    item.element.classList.toggle("bad", Boolean(error));
  }

  /** The file's role among those that can be chosen now: its own, or the first. */
  #role(item) { return this.roleNames.some(([id]) => id === item.role) ? item.role : this.roleNames[0][0]; }

  #over(event, over) {
    event.preventDefault();
    this.element.classList.toggle("over", over);
  }

  #changed(note = "") { this.dispatchEvent(new CustomEvent("change", { detail: { note } })); }
}
