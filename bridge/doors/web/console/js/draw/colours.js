// Colours that can be seen: a track's own colour, moved towards the text's where it would drown in the ground. Pure.

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);

/** Relative luminance of "#rrggbb" (WCAG 2.2). */
export function luminance(hex) {
  const [red, green, blue] = channels(hex).map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2). */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The colour, or as little of `towards` in it as gives it `least` contrast on `ground`. */
export function visible(colour, ground, towards, least = 3) {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) return towards;
  for (let share = 0; share < 1; share += 0.08) {
    const mixed = mix(colour, towards, share);
    if (contrast(mixed, ground) >= least) return mixed;
  }
  return towards;
}

function mix(one, other, share) {
  const to = channels(other);
  return `#${channels(one).map((value, at) => Math.round(value + (to[at] - value) * share).toString(16).padStart(2, "0")).join("")}`;
}
