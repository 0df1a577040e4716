// Line icons on a 24-unit grid, drawn here; decorative always: the text or label beside them is what is read out.

import { svg } from "./dom.js";

const PATHS = {
  remix: ["M4 15v-6M8 18V6M12 14v-4M16 20V4M20 15v-6"],
  mix: ["M6 4v16M12 4v16M18 4v16M3.5 9h5M9.5 15h5M15.5 8h5"],
  words: ["M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM18.5 16l.8 2.2 2.2.8-2.2.8-.8 2.2-.8-2.2-2.2-.8 2.2-.8z"],
  jobs: ["M4 6h10M4 12h16M4 18h7", "M17 4.5l3 1.5-3 1.5z"],
  library: ["M5 4v16M9.5 4v16M14 4.5l5 15"],
  system: ["M4 5h16v10H4zM9 20h6M12 15v5"],
  play: ["M8 5l11 7-11 7z"],
  pause: ["M8 5v14M16 5v14"],
  start: ["M6 5v14M19 6l-9 6 9 6z"],
  loop: ["M17 3l3 3-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3 3-3M4 18h12a4 4 0 0 0 4-4v-1"],
  download: ["M12 4v11M7 11l5 5 5-5M5 20h14"],
  upload: ["M12 16V5M7 9l5-5 5 5M5 20h14"],
  close: ["M6 6l12 12M18 6L6 18"],
  retry: ["M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5"],
  trash: ["M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5"],
  search: ["M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M16 16l4.5 4.5"],
  plus: ["M12 5v14M5 12h14"],
  minus: ["M5 12h14"],
  sun: ["M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19"],
  moon: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"],
  auto: ["M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 3v18M12 7h5.5M12 12h9M12 17h5.5"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  warn: ["M12 4l9 16H3zM12 10v4.5M12 17.3v.2"],
  file: ["M6 3h8l4 4v14H6zM14 3v4h4"],
  open: ["M9 6l6 6-6 6"],
  back: ["M15 6l-6 6 6 6"],
};

export function icon(name, size = 18) {
  const box = svg("svg", {
    viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", focusable: "false", class: `icon icon-${name}`,
  });
  for (const d of PATHS[name]) box.append(svg("path", { d }));
  return box;
}
