// Form parts: labelled fields, a slider that says what its value means, choices as segments.

import { freshId, h } from "../dom.js";
import { wordFor } from "../words.js";

export function field(label, control, hint = "") {
  control.id ||= freshId("field");
  const note = hint ? h("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, note);
}

export function select(options, value, onChange, label = null) {
  return h("select", { "aria-label": label, onChange: (event) => onChange(event.target.value) },
    options.map(([id, name]) => h("option", { value: id, selected: id === value }, name)));
}

/** A slider for a factor from 0.5 to 2, even in octaves, that says its value in words. Returns {element, value()}. */
export function factorSlider({ label, words, low, high, name }) {
  const shown = h("output", { class: "slider-words" });
  const input = h("input", { type: "range", min: -20, max: 20, step: 1, value: 0, name, onInput: () => update() });
  const value = () => Math.round(2 ** (Number(input.value) / 20) * 1000) / 1000;
  const update = () => {
    const text = wordFor(words, value());
    shown.textContent = text;
    input.setAttribute("aria-valuetext", `${text}, ${value().toFixed(2)} times`);
    input.style.setProperty("--fill", `${((Number(input.value) + 20) / 40) * 100}%`);
  };
  input.addEventListener("dblclick", () => {
    input.value = 0;
    update();
  });
  update();
  const box = field(label, input);
  box.classList.add("slider");
  box.querySelector("label").after(shown);
  box.append(h("div", { class: "slider-ends", "aria-hidden": "true" }, h("span", {}, low), h("span", {}, high)));
  return { element: box, value };
}

/** One choice of a few, as a row of segments. `options`: [[id, name, hint?]]. Returns {element, value(), set(id)}. */
export function segments({ label, options, value, onChange = () => {}, name = freshId("choice") }) {
  const radios = options.map(([id, text, hint]) => {
    const input = h("input", { type: "radio", name, value: id, checked: id === value, onChange: () => onChange(id) });
    return h("label", { class: "segment", title: hint }, input, h("span", {}, text));
  });
  const inputs = radios.map((item) => item.querySelector("input"));
  return {
    element: h("fieldset", { class: "segments" }, h("legend", {}, label), h("div", { class: "segment-row" }, radios)),
    value: () => inputs.find((input) => input.checked)?.value ?? null,
    set: (id) => { for (const input of inputs) input.checked = input.value === id; },
  };
}

/** Several of a few. `options`: [[id, name]]. Returns {element, value()}. */
export function checks({ label, options, values, onChange = () => {} }) {
  const inputs = options.map(([id]) => h("input", { type: "checkbox", value: id, checked: values.includes(id), onChange: () => onChange() }));
  return {
    element: h("fieldset", { class: "checks" }, h("legend", {}, label),
      h("div", { class: "check-row" }, options.map(([, text], at) => h("label", { class: "check" }, inputs[at], h("span", {}, text))))),
    value: () => inputs.filter((input) => input.checked).map((input) => input.value),
  };
}
