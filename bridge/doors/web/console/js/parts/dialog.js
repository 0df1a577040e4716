// A question before something that can't be undone. Resolves to the chosen answer, or null.

import { h } from "../dom.js";

export function ask({ title, words, answers }) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog", "aria-label": title },
      h("h2", {}, title), h("p", {}, words),
      h("div", { class: "dialog-row" },
        h("button", { type: "button", class: "quiet", onClick: () => done(null) }, "Keep it"),
        answers.map(([id, label, kind]) => h("button", { type: "button", class: kind ?? "", onClick: () => done(id) }, label))));
    const done = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      done(null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
