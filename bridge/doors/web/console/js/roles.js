// Guesses a stem's role from its file name, as the engine's `guess_role` does: words count from the right, and among
// words that end together the longest phrase wins ("bass drum" is a kick, "lead guitar" a guitar). Pure.

const NAMES = [
  ["backing_vocals", "(?:backing|background|bgv?s?|bvs?|harmon(?:y|ies)|choir|ad ?libs?|doubles?) ?(?:vo(?:x|cals?|ice)s?)?"],
  ["vocals", "(?:lead ?)?(?:vo(?:x|cals?|ice|c)s?|sing(?:er|ing)|acapp?ella|a cappella|rap)"],
  ["kick", "kicks?|kik|bd|bass ?drum|808 kick"],
  ["snare", "snares?(?: ?drums?)?|sn|sd|snr|rim ?(?:shot)?|claps?"],
  ["hats", "(?:hi ?)?hats?|hh|hihats?|cymbals?|rides?|crash|overheads?|oh"],
  ["percussion", "perc(?:ussion|s)?|shakers?|tamb(?:ourine)?|congas?|bongos?|toms?|cowbell|tabla|cajon|block"],
  ["drums", "drums?|drum ?(?:loop|kit|bus)|kit|beats?|breaks?|amen|rooms?"],
  ["bass", "(?:sub|synth|electric|upright|finger|e)? ?bass(?:line)?|808s?|sub|contrabass"],
  ["guitar", "(?:e|ac|acoustic|electric|rhythm|lead|nylon|steel)? ?(?:guitars?|gtrs?|gits?)|banjo|ukulele|mandolin"],
  ["strings", "strings?|violins?|violas?|cell[oi]s?|orchestra|harp|pizz(?:icato)?"],
  ["brass", "brass|horns?|trumpets?|trombones?|sax(?:ophone)?s?|tuba|flutes?|clarinets?|woodwinds?|oboe"],
  ["keys", "keys?|pianos?|pno|rhodes|wurli(?:tzer)?|organ|e ?p|electric piano|clav(?:inet)?|vib(?:e|raphone)s?|bells?|"
    + "glock(?:enspiel)?|celest[ae]|marimbas?|kalimbas?|xylophone|chimes?|harpsichord|accordion"],
  ["pad", "pads?|atmos?(?:phere)?|ambien(?:t|ce)|drone|texture"],
  ["arp", "arps?|arpeggio|sequence|seq|plucks?"],
  ["lead", "leads?|solo|melody|hook"],
  ["chords", "chords?|stabs?|comp(?:ing)?"],
  ["synth", "synths?|syn"],
  ["fx", "s?fx|effects?|risers?|impacts?|sweeps?|(?:white |pink )noise|foley|whoosh"],
  ["noise", "noise|hiss|vinyl(?: ?(?:noise|hiss|crackle))?|crackle|room ?tone|rain|tape ?(?:noise|hiss)|hum"],
  ["other", "other|music|instrumental|rest|accompaniment"],
];
const PATTERNS = NAMES.map(([role, words]) => [role, new RegExp(`(?<![a-z])(?:${words})(?![a-z])`, "g")]);
const FAMILIES = {
  vocals: "vocals", backing_vocals: "vocals", drums: "drums", kick: "drums", snare: "drums", hats: "drums",
  percussion: "drums", bass: "bass",
};

export function guessRole(name) {
  const stem = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name;
  const words = stem.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()
    .replace(/(?<=[a-z])(?=\d)/g, " ");
  let best = null;
  for (const [role, pattern] of PATTERNS) {
    for (const found of words.matchAll(pattern)) {
      const end = found.index + found[0].length;
      const length = found[0].length;
      if (length && (best === null || end > best.end || (end === best.end && length > best.length))) best = { end, length, role };
    }
  }
  return best ? best.role : "other";
}

/** The one of a song's four stems that a role belongs to. */
export const songRole = (role) => FAMILIES[role] ?? "other";
