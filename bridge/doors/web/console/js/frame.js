// The frame around every page: navigation, connection, theme; and the router.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { tell } from "./parts/toast.js";
import { generatePage } from "./pages/generate.js";
import { jobsPage } from "./pages/jobs.js";
import { libraryPage } from "./pages/library.js";
import { mixPage } from "./pages/mix.js";
import { remixPage } from "./pages/remix.js";
import { returnPage } from "./pages/return.js";
import { systemPage } from "./pages/system.js";
import { nextTheme, setTheme, theme, THEMES } from "./theme.js";

const PAGES = [
  { id: "remix", title: "Remix", icon: "remix", make: remixPage },
  { id: "mix", title: "Mix & master", icon: "mix", make: mixPage },
  { id: "generate", title: "Generate", icon: "words", make: generatePage },
  { id: "jobs", title: "Jobs", icon: "jobs", make: jobsPage },
  { id: "library", title: "Library", icon: "library", make: libraryPage },
  { id: "system", title: "System", icon: "system", make: systemPage },
  { id: "return", title: "Return", under: "library", make: returnPage },
];
const THEME_ICONS = { auto: "auto", dark: "moon", light: "sun" };

export function frame(root, app) {
  const main = h("main", { id: "main", tabindex: -1 });
  const links = PAGES.filter((page) => page.icon).map((page) => h("a", { href: `#/${page.id}`, data: { page: page.id } },
    icon(page.icon, 20), h("span", { class: "nav-words" }, page.title), page.id === "jobs" && count(app)));
  const connection = h("span", { class: "connection", role: "status" });
  const themeButton = h("button", { type: "button", class: "ghost", onClick: () => { setTheme(nextTheme()); showTheme(); } });
  const showTheme = () => {
    const name = THEMES.find(([id]) => id === theme())[1];
    fill(themeButton, icon(THEME_ICONS[theme()]));
    themeButton.setAttribute("aria-label", `Colours: ${name}. Change`);
    themeButton.title = `Colours: ${name.toLowerCase()}`;
  };
  const showConnection = (up) => {
    connection.dataset.up = up;
    fill(connection, h("i"), h("span", {}, up ? "connected" : "daemon is away, trying again"));
  };
  app.feed.addEventListener("open", () => showConnection(true));
  app.feed.addEventListener("down", () => showConnection(false));
  showConnection(app.feed.connected);
  showTheme();
  fill(root, h("div", { class: "frame" },
    h("header", { class: "side" },
      h("a", { class: "brand", href: "#/remix", "aria-label": "NRX Bridge, to the remix page" }, mark(), h("span", {}, "NRX Bridge")),
      h("nav", { "aria-label": "Pages" }, links),
      h("div", { class: "side-foot" }, connection, themeButton)),
    main));

  let shown = null;
  const show = () => {
    const [id, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
    const page = PAGES.find((item) => item.id === id) ?? PAGES[0];
    shown?.close?.();
    for (const link of links) {
      if (link.dataset.page === (page.under ?? page.id)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${page.title} – NRX Bridge`;
    const wasShown = shown !== null;
    try {
      shown = page.make(app, ...rest);
      fill(main, shown.element);
    } catch (error) {
      tell(error);
    }
    scrollTo(0, 0);
    if (wasShown) main.focus({ preventScroll: true });
  };
  addEventListener("hashchange", show);
  show();
}

function count(app) {
  const badge = h("span", { class: "count" });
  const update = () => {
    const { active } = app.store;
    badge.textContent = active || "";
    badge.hidden = active === 0;
    badge.setAttribute("aria-label", `${active} at work or waiting`);
  };
  app.store.addEventListener("change", update);
  app.store.addEventListener("reset", update);
  update();
  return badge;
}

const mark = () => h("img", { src: "console/icon.svg", alt: "", width: 28, height: 28 });

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
