// Style cards: one choice among all styles, as radio buttons that look like cards.

import { freshId, h } from "../dom.js";

export function styleCards(styles, chosen, onChange) {
  const name = freshId("style");
  const cards = styles.map((style) => {
    const [low, high] = style.tempo_range_bpm;
    const input = h("input", { type: "radio", name, value: style.id, checked: style.id === chosen, onChange: () => onChange(style.id) });
    return h("label", { class: "style-card", style: { "--style": style.colour } }, input,
      h("span", { class: "style-body" },
        h("span", { class: "style-name" }, style.name),
        h("span", { class: "style-words" }, style.description),
        h("span", { class: "style-tempo" }, `${low}–${high} BPM`, energyDots(style.energy))));
  });
  return h("fieldset", { class: "style-cards" }, h("legend", {}, "Style"), h("div", { class: "card-grid" }, cards));
}

function energyDots(energy) {
  const full = Math.max(1, Math.round(energy * 5));
  return h("span", { class: "dots", role: "img", "aria-label": `energy ${full} of 5` }, Array.from({ length: 5 }, (_, at) => h("i", { class: at < full ? "on" : "" })));
}
