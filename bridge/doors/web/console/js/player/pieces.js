// Pieces of lanes as audio buffers, kept while there is room: the oldest used go first.

export class Pieces {
  constructor(limitBytes) {
    this.limitBytes = limitBytes;
    this.bytes = 0;
    this.kept = new Map();
  }

  /** Return the promise of a piece; `make` is called where it is not there. A failed piece is forgotten. */
  get(key, bytes, make) {
    const found = this.kept.get(key);
    if (found) {
      this.kept.delete(key);
      this.kept.set(key, found);
      return found.promise;
    }
    const entry = { bytes, promise: make() };
    this.kept.set(key, entry);
    this.bytes += bytes;
    entry.promise.catch(() => this.#forget(key, entry));
    for (const [oldest, other] of this.kept) {
      if (this.bytes <= this.limitBytes || other === entry) break;
      this.#forget(oldest, other);
    }
    return entry.promise;
  }

  clear() {
    this.kept.clear();
    this.bytes = 0;
  }

  #forget(key, entry) {
    if (this.kept.get(key) !== entry) return;
    this.kept.delete(key);
    this.bytes -= entry.bytes;
  }
}
