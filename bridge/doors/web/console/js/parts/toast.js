// Short messages in the corner: what failed stays until it is closed, everything else goes by itself.

import { h } from "../dom.js";
import { icon } from "../icons.js";

const STAYS_MS = 6000;
const MOST = 4;

/** Show a message: kind "good", "bad" or "plain"; `action` is {label, run}. */
export function toast(text, { kind = "plain", title = "", action = null } = {}) {
  const box = document.getElementById("toasts");
  const close = () => element.remove();
  const element = h("div", { class: `toast ${kind}`, role: kind === "bad" ? "alert" : null },
    icon(kind === "bad" ? "warn" : "check"),
    h("div", { class: "toast-words" }, title && h("strong", {}, title), h("span", {}, text)),
    action && h("button", { class: "text", type: "button", onClick: () => { close(); action.run(); } }, action.label),
    h("button", { class: "ghost", type: "button", "aria-label": "Close message", onClick: close }, icon("close", 16)));
  box.append(element);
  while (box.children.length > MOST) box.firstElementChild.remove();
  if (kind !== "bad") setTimeout(close, STAYS_MS);
}

/** Say what went wrong; a call that was stopped on purpose is not told. */
export function tell(error, title = "") {
  if (error?.name === "AbortError") return;
  toast(error?.sentence ?? error?.message ?? String(error), { kind: "bad", title });
}
