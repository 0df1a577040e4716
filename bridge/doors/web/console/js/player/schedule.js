// Which pieces of a song sound when: frames of the song laid out on the context's clock, loops unrolled. Pure.
//
// Everything is in whole frames, so that pieces join without a gap or an overlap and lanes stay locked to the sample.

/** The loop [start, end) in frames, or null where it is none or too short to be heard as one. */
export function usableLoop(loop, frames, shortest) {
  if (!loop) return null;
  const start = Math.max(0, Math.round(loop.start));
  const end = Math.min(frames, Math.round(loop.end));
  return end - start >= shortest ? { start, end } : null;
}

/**
 * Return the next piece that starts `played` frames after the anchor: {song, count} where it lies in the song, or null at
 * the end. `grid` cuts pieces at multiples of itself (so that pieces of the song can be kept and used again).
 */
export function pieceAt(anchorSong, played, frames, loop, grid) {
  const song = songFrame(anchorSong, played, frames, loop);
  if (song >= frames) return null;
  const limit = loop && song < loop.end ? loop.end : frames;
  return { song, count: Math.min(limit, (Math.floor(song / grid) + 1) * grid) - song };
}

/** Where in the song one is `played` frames after starting at `anchorSong`. Before the loop's end one stays in it. */
export function songFrame(anchorSong, played, frames, loop) {
  const straight = anchorSong + played;
  if (!loop || anchorSong >= loop.end || straight < loop.end) return Math.min(straight, frames);
  return loop.start + ((straight - loop.end) % (loop.end - loop.start));
}
