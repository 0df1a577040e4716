// What stands there without a token: how to get in.

import { h } from "../dom.js";

export function signInPage(problem) {
  return h("main", { id: "main", class: "signin" },
    h("img", { src: "console/icon.svg", alt: "", width: 56, height: 56 }),
    h("h1", {}, "NRX Bridge"),
    problem && h("p", { class: "problem", role: "alert" }, problem),
    h("p", {}, "This console belongs to the person at this machine. Open it with a link that works once:"),
    h("pre", { class: "command" }, h("code", {}, "nrx open")),
    h("p", { class: "hint" }, "Run this in a terminal. ", h("code", {}, "nrx serve"), " prints such a link too, when it starts. "
      + "The browser then keeps its access until you sign out on the System page."));
}
