// Chords for the eye: Harte's syntax ("E:min7/b3") as musicians write it ("Em7/G"), and a colour for each root.
// Source of the syntax: Harte et al., "Symbolic representation of musical chords", ISMIR 2005. Pure.

const PITCH = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const SUFFIX = {
  maj: "", min: "m", 7: "7", maj7: "maj7", min7: "m7", minmaj7: "m(maj7)", maj6: "6", min6: "m6", dim: "dim", dim7: "dim7",
  hdim7: "m7♭5", aug: "aug", sus2: "sus2", sus4: "sus4", 9: "9", maj9: "maj9", min9: "m9", 5: "5", 1: "",
};
const DEGREES = { 1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11 };
const SHARPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const FLATS = ["C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B"];

const count = (text, sign) => text.split(sign).length - 1;
const pitchClass = (root) => PITCH[root[0]] + count(root, "#") - count(root, "b");
const pretty = (root) => root.replaceAll("#", "♯").replace(/(?<=.)b/g, "♭");

export function chordName(label) {
  if (!label || !(label[0] in PITCH)) return "";
  const [chord, bass = ""] = label.split("/");
  const [root, quality = ""] = chord.split(":");
  const shorthand = quality.split("(")[0];
  const name = pretty(root) + (SUFFIX[shorthand] ?? shorthand);
  const degree = bass.replace(/^[#b]+/, "");
  if (!(degree in DEGREES) || bass === "1") return name;
  const pitch = (((pitchClass(root) + DEGREES[degree] + count(bass, "#") - count(bass, "b")) % 12) + 12) % 12;
  const flats = root.slice(1).includes("b") || root === "F" || bass.includes("b");
  return `${name}/${(flats ? FLATS : SHARPS)[pitch]}`;
}

/** "Bb major" -> "B♭ major". */
export const keyName = (key) => key.replace(/^([A-G])([#b]*)/, (_, letter, signs) => letter + signs.replaceAll("#", "♯").replaceAll("b", "♭"));

/** Hue by root on the circle of fifths (degrees), and whether the chord is a dark (minor) one; null for no chord. */
export function chordHue(label) {
  if (!label || !(label[0] in PITCH)) return null;
  const [root, quality = ""] = label.split("/")[0].split(":");
  return { hue: ((((pitchClass(root) * 7) % 12) + 12) % 12) * 30, minor: /^(min|dim|hdim)/.test(quality) };
}

/** Chords with equal neighbours joined, and silence left out. */
export function mergedChords(chords) {
  const merged = [];
  for (const chord of chords) {
    const last = merged[merged.length - 1];
    if (last && last.label === chord.label && chord.start_s - last.end_s < 1e-3) last.end_s = chord.end_s;
    else merged.push({ ...chord });
  }
  return merged.filter((chord) => chordName(chord.label));
}
