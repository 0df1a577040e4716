// The strip above the tracks: sections, bar numbers, chords; and the overview with the window that is shown.

import { chordHue, chordName } from "../chords.js";
import { barStep } from "../player/view.js";
import { prepare } from "./canvas.js";

const FONT = "system-ui, sans-serif";

export function drawBars(canvas, downbeats, view, colours) {
  const place = prepare(canvas);
  if (!place) return;
  const { context, width, height } = place;
  const bars = downbeats.length > 1 ? (downbeats[downbeats.length - 1] - downbeats[0]) / (downbeats.length - 1) : 0;
  const step = bars ? barStep((bars / view.length) * width) : 1;
  context.font = `600 11px ${FONT}`;
  context.textBaseline = "middle";
  downbeats.forEach((at, index) => {
    const x = Math.round(view.at(at) * width) + 0.5;
    if (x < -40 || x > width + 1) return;
    const numbered = index % step === 0;
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(x, numbered ? 2 : height - 5);
    context.lineTo(x, height);
    context.stroke();
    if (!numbered) return;
    context.fillStyle = colours.text;
    context.fillText(String(index + 1), x + 4, height / 2);
  });
}

export function drawChords(canvas, chords, view, colours) {
  const place = prepare(canvas);
  if (!place) return;
  const { context, width, height } = place;
  context.font = `600 12px ${FONT}`;
  context.textBaseline = "middle";
  for (const chord of chords) {
    const from = view.at(chord.start_s) * width;
    const to = view.at(chord.end_s) * width;
    if (to < 0 || from > width) continue;
    const tone = chordHue(chord.label);
    context.fillStyle = `hsl(${tone.hue} ${tone.minor ? 34 : 46}% ${colours.dark ? (tone.minor ? 26 : 33) : tone.minor ? 78 : 86}%)`;
    context.beginPath();
    context.roundRect(from + 0.5, 1, Math.max(1, to - from - 1), height - 2, Math.min(4, (to - from) / 3));
    context.fill();
    const name = chordName(chord.label);
    const shown = Math.max(from, 0);
    if (context.measureText(name).width + 8 > to - shown) continue;
    context.fillStyle = colours.text;
    context.fillText(name, shown + 5, height / 2 + 0.5);
  }
}

export function drawSections(canvas, sections, view, colours) {
  const place = prepare(canvas);
  if (!place) return;
  const { context, width, height } = place;
  context.font = `600 11px ${FONT}`;
  context.textBaseline = "middle";
  for (const section of sections) {
    const from = view.at(section.start_s) * width;
    const to = view.at(section.end_s) * width;
    if (to < 0 || from > width) continue;
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.14 + 0.3 * Math.min(1, Math.max(0, section.energy));
    context.fillRect(from + 0.5, 0, Math.max(1, to - from - 1), height);
    context.globalAlpha = 1;
    const shown = Math.max(from, 0);
    const name = section.label.charAt(0).toUpperCase() + section.label.slice(1);
    if (context.measureText(name).width + 10 > to - shown) continue;
    context.fillStyle = colours.text;
    context.fillText(name, shown + 6, height / 2 + 0.5);
  }
}
