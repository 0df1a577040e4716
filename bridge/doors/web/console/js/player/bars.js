// Bars, chords and sections under a moment, and the same moment on another timeline. Pure.

/** Index of the last value <= x in an ascending list, or -1. */
export function lastAtOrBefore(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export const spanAt = (spans, time) => spans.find((span) => time >= span.start_s && time < span.end_s) ?? null;

/** 1-based bar at a moment; 0 before the first downbeat. */
export const barAt = (downbeats, time) => lastAtOrBefore(downbeats, time + 1e-4) + 1;

/**
 * The same musical moment on another timeline: bars pair up by number, in between by proportion, outside by the nearest
 * bar's pace. Without bars on both sides time stays.
 */
export function mapTime(time, from, to) {
  const count = Math.min(from.length, to.length);
  if (count < 2) return time;
  const at = Math.min(Math.max(lastAtOrBefore(from.slice(0, count), time), 0), count - 2);
  const pace = (to[at + 1] - to[at]) / (from[at + 1] - from[at]);
  return Math.max(0, to[at] + (time - from[at]) * pace);
}

/** Whether two lists of bars are one timeline (to 5 ms, over the bars that both have). */
export function sameTimeline(a, b) {
  const count = Math.min(a.length, b.length);
  if (count < 2) return true;
  for (let index = 0; index < count; index += 1) if (Math.abs(a[index] - b[index]) > 0.005) return false;
  return true;
}

/** The start of the bar before (-1) or after (+1) a moment; clear of the bar that just began when going back. */
export function neighbourBar(downbeats, time, step, end) {
  if (!downbeats.length) return Math.min(end, Math.max(0, time + step * 5));
  if (step > 0) return downbeats.find((at) => at > time + 0.02) ?? end;
  const before = downbeats.filter((at) => at < time - 0.25);
  return before.length ? before[before.length - 1] : 0;
}
