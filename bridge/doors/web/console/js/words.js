// What things are called on the page: states, stages, actions, roles, and the words of the two sliders. Pure tables.

export const STATES = {
  queued: "Waiting", running: "Running", succeeded: "Done", failed: "Failed", cancelled: "Cancelled",
};

export const STAGES = {
  read: "Reading the song",
  rebuild: "Rebuilding the track",
  listen: "Listening to every stem",
  separate: "Separating the stems",
  analyze: "Listening for tempo, key and chords",
  generate: "Playing the new parts",
  sync: "Fitting the voice",
  mix: "Mixing",
  master: "Mastering",
  publish: "Writing the return",
};

export const ACTIONS = {
  remix: "Remix", separate: "Separation", analyze: "Analysis", generate: "Generation", sync: "Sync", mix: "Mix", master: "Master",
};

export const DOORS = {
  osc: "OSC", folder: "a watched folder", spool: "a script", cli: "the command line",
};

/** Slider words: the value is a factor from 0.5 to 2, 1 is what the style asks for. */
export const ENERGY_WORDS = [
  [0.6, "half asleep"], [0.8, "calmer"], [0.95, "a little calmer"], [1.05, "as the style plays"],
  [1.25, "a little livelier"], [1.6, "livelier"], [Infinity, "all out"],
];
export const BRIGHTNESS_WORDS = [
  [0.6, "dark"], [0.8, "darker"], [0.95, "a little darker"], [1.05, "as the style sounds"],
  [1.25, "a little brighter"], [1.6, "brighter"], [Infinity, "glassy"],
];
export const wordFor = (words, value) => words.find(([upTo]) => value <= upTo)[1];

export const KEEP = [
  ["vocals", "Vocals"], ["drums", "Drums"], ["bass", "Bass"], ["other", "Everything else"],
];

export const SONG_ROLES = [["vocals", "Vocals"], ["drums", "Drums"], ["bass", "Bass"], ["other", "Other"]];

export const MIX_ROLES = [
  ["vocals", "Lead vocals"], ["backing_vocals", "Backing vocals"], ["drums", "Drums"], ["kick", "Kick"], ["snare", "Snare"],
  ["hats", "Hats and cymbals"], ["percussion", "Percussion"], ["bass", "Bass"], ["guitar", "Guitar"], ["keys", "Keys"],
  ["chords", "Chords"], ["synth", "Synth"], ["pad", "Pad"], ["arp", "Arpeggio"], ["lead", "Lead"], ["strings", "Strings"],
  ["brass", "Brass and winds"], ["fx", "Effects"], ["noise", "Noise"], ["other", "Other"], ["reference", "Reference"],
];

/** What a file is where a song is mastered. */
export const MASTER_ROLES = [["song", "Song"], ["reference", "Reference"]];

export const ROLE_NAMES = Object.fromEntries([...MIX_ROLES, ["mix", "Mix"], ["master", "Master"], ["instrumental", "Instrumental"]]);

export const GENERATED_STEMS = [
  ["", "Whole song"], ["drums", "Drums"], ["bass", "Bass"], ["chords", "Chords"], ["pad", "Pad"], ["arp", "Arpeggio"], ["lead", "Lead"],
];

export const KINDS = {
  separated: "from the original", fitted: "kept", generated: "new", mix: "mix", master: "master",
};
