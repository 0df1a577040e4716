// A waveform: for each pixel column the lowest and highest sample of what it stands for.

import { prepare } from "./canvas.js";

/** `peaks`: [[low, high], …] over the whole of the file; `fileS`: how long that is; `view`: what is shown. */
export function drawWave(canvas, peaks, fileS, view, colour, scale = 1) {
  const place = prepare(canvas);
  if (!place) return;
  const { context, width, height } = place;
  const middle = height / 2;
  context.fillStyle = colour;
  if (!peaks?.length) return;
  const perSecond = peaks.length / fileS;
  for (let x = 0; x < width; x += 1) {
    const from = view.seconds(x / width) * perSecond;
    const to = view.seconds((x + 1) / width) * perSecond;
    let low = 0;
    let high = 0;
    for (let at = Math.max(0, Math.floor(from)); at < Math.min(peaks.length, Math.max(to, from + 1)); at += 1) {
      low = Math.min(low, peaks[at][0]);
      high = Math.max(high, peaks[at][1]);
    }
    const top = middle - Math.min(1, high * scale) * (middle - 1);
    const bottom = middle - Math.max(-1, low * scale) * (middle - 1);
    context.fillRect(x, top, 1, Math.max(1, bottom - top));
  }
}

/** How much a quiet waveform is enlarged to be seen: to the top of its lane, at most eightfold. */
export function waveScale(peaks) {
  let most = 0;
  for (const [low, high] of peaks ?? []) most = Math.max(most, -low, high);
  return most > 0 ? Math.min(8, 0.95 / most) : 1;
}
