// Gains of the desk: which tracks sound, how loud, and loudness matching between original, mix and master. Pure.

export const FADER_MIN_DB = -60;
export const FADER_MAX_DB = 12;

export const gainOf = (db) => (db <= FADER_MIN_DB ? 0 : 10 ** (db / 20));

/** Whether a track sounds: solo beats mute, and where any track is solo only those sound. */
export function sounds(track, tracks) {
  const anySolo = tracks.some((other) => other.solo);
  return anySolo ? Boolean(track.solo) : !track.muted;
}

/**
 * Balance for two channels: 1/1 in the middle, the far side fades. `pan` -1..1; returns [left, right].
 * The manifest's pan is a balance control: nothing of one side moves into the other.
 */
export const balance = (pan) => [Math.min(1, 1 - pan), Math.min(1, 1 + pan)];

/**
 * Gains in dB that bring sides to the loudness of the quietest: nobody is raised, so nothing can clip.
 * `sides`: name -> LUFS or null where it is not known; unknown ones stay as they are.
 */
export function matchedGains(sides) {
  const known = Object.values(sides).filter(Number.isFinite);
  const target = known.length > 1 ? Math.min(...known) : null;
  return Object.fromEntries(
    Object.entries(sides).map(([name, level]) => [name, target !== null && Number.isFinite(level) ? target - level : 0]),
  );
}

/** Loudness of each side from a manifest: what was measured in the files as they were written. */
export function sideLoudness(manifest) {
  const of = (name) => manifest.loudness?.[name]?.integrated_lufs ?? null;
  return { original: of("source") ?? manifest.analysis?.loudness_lufs ?? null, mix: of("mix"), master: of("master") };
}
