// Numbers as people read them. Pure.

const MINUS = "−";

/** 83.4 s -> "1:23"; with `tenths` -> "1:23.4". */
export function clock(seconds, tenths = false) {
  const value = Math.max(0, Number.isFinite(seconds) ? seconds : 0);
  const whole = tenths ? Math.floor(value * 10 + 1e-6) / 10 : Math.floor(value + 1e-6);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = whole % 60;
  const tail = (tenths ? rest.toFixed(1) : String(Math.floor(rest))).padStart(tenths ? 4 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** A span of time in words: 200 -> "3 min 20 s". */
export function span(seconds) {
  const value = Math.round(Math.max(0, seconds));
  if (value < 60) return `${value} s`;
  if (value < 3600) return value % 60 ? `${Math.floor(value / 60)} min ${value % 60} s` : `${value / 60} min`;
  const minutes = Math.round((value % 3600) / 60);
  return minutes ? `${Math.floor(value / 3600)} h ${minutes} min` : `${Math.floor(value / 3600)} h`;
}

/** Time left, no more exact than it is: 43 -> "about 45 s left". */
export function left(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 3) return "a moment left";
  if (seconds < 20) return `about ${Math.round(seconds)} s left`;
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} s left`;
  return `about ${span(Math.round(seconds / 60) * 60)} left`;
}

export function ago(then, now) {
  const seconds = Math.max(0, now - then);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  const days = Math.round(seconds / 86400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

export function bytes(count) {
  if (!Number.isFinite(count)) return "";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function percent(fraction) {
  return `${Math.floor(Math.min(1, Math.max(0, fraction || 0)) * 100 + 1e-9)} %`;
}

/** A signed number with a real minus sign: -3.25 -> "−3.3". */
export function signed(value, digits = 1) {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? MINUS : "+") + text;
}

export function plain(value, digits = 1) {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? MINUS : "") + text;
}

export const decibels = (value) => (value <= -60 ? `${MINUS}∞ dB` : `${signed(value)} dB`);
export const lufs = (value) => (value === null || value === undefined ? "silent" : `${plain(value)} LUFS`);
export const bpm = (value) => `${Number(value).toFixed(1).replace(/\.0$/, "")} BPM`;

export function panWords(pan) {
  const amount = Math.round(Math.abs(pan) * 100);
  return amount === 0 ? "centre" : `${amount} % ${pan < 0 ? "left" : "right"}`;
}

/** ["a","b","c"] -> "a, b and c". */
export function listed(items) {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
