// Light, dark, or as the system has it. Stored in this browser.

const KEY = "nrx.theme";
export const THEMES = [["auto", "As the system"], ["dark", "Dark"], ["light", "Light"]];

export const theme = () => localStorage.getItem(KEY) ?? "auto";

export function setTheme(name) {
  localStorage.setItem(KEY, name);
  applyTheme();
}

export function applyTheme() {
  const name = theme();
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  document.dispatchEvent(new Event("nrx-theme"));
}

export function nextTheme() {
  const names = THEMES.map(([id]) => id);
  return names[(names.indexOf(theme()) + 1) % names.length];
}

/** A colour of the theme, for canvases. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
