// The part of the song that is on the screen: zoom, scroll, and following the playhead. Pure; seconds.

const SHORTEST_S = 2;

export class View {
  constructor(durationS) {
    this.duration = Math.max(durationS, 0.001);
    this.start = 0;
    this.length = this.duration;
  }

  get end() { return this.start + this.length; }
  get zoom() { return this.duration / this.length; }

  /** Where a moment is across the view, 0 to 1 (outside beyond). */
  at(seconds) { return (seconds - this.start) / this.length; }
  seconds(fraction) { return this.start + fraction * this.length; }

  /** Zoom by a factor with one moment staying where it is. */
  zoomBy(factor, around = this.start + this.length / 2) {
    const length = Math.min(this.duration, Math.max(Math.min(SHORTEST_S, this.duration), this.length / factor));
    const place = this.at(around);
    this.length = length;
    this.scrollTo(around - place * length);
  }

  scrollTo(start) { this.start = Math.min(Math.max(0, start), this.duration - this.length); }

  /** Turn the page where the playhead has left it. Returns whether the view moved. */
  follow(seconds) {
    if (this.length >= this.duration || (seconds >= this.start && seconds < this.end)) return false;
    const before = this.start;
    this.scrollTo(seconds - this.length * 0.05);
    return this.start !== before;
  }
}

/** Every how many bars a number fits, for `pixelsPerBar`. */
export function barStep(pixelsPerBar, room = 34) {
  for (const step of [1, 2, 4, 8, 16, 32, 64, 128]) if (pixelsPerBar * step >= room) return step;
  return 256;
}
