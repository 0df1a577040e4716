// The jobs that the page knows, kept by a first listing and by events. Pure: no network, no page.
//
// Tells "change" (detail: {job, type, before}) for each event that is news, and "reset" after a listing.

export class JobStore extends EventTarget {
  constructor() {
    super();
    this.jobs = new Map();
    this.waiting = null;
  }

  /** Call before a listing is asked for: events that come meanwhile are newer than it, and wait. */
  listing() { this.waiting ??= []; }

  /** Take a listing: jobs that it names replace what was known, others stay. */
  listed(jobs) {
    for (const job of jobs) this.jobs.set(job.id, job);
    const events = this.waiting ?? [];
    this.waiting = null;
    this.dispatchEvent(new Event("reset"));
    for (const event of events) this.take(event);
  }

  take(event) {
    if (this.waiting !== null) {
      this.waiting.push(event);
      return;
    }
    const before = this.jobs.get(event.job.id) ?? null;
    if (event.type === "deleted") this.jobs.delete(event.job.id);
    else this.jobs.set(event.job.id, event.job);
    this.dispatchEvent(new CustomEvent("change", { detail: { job: event.job, type: event.type, before } }));
  }

  get(id) { return this.jobs.get(id) ?? null; }

  /** Jobs of a filter ("active", "done", "failed", "all"), those at work first, then the newest. */
  list(filter = "all", search = "") {
    const words = search.trim().toLowerCase();
    return [...this.jobs.values()]
      .filter((job) => FILTERS[filter](job) && (!words || `${job.title} ${job.style ?? ""} ${job.action} ${job.id}`.toLowerCase().includes(words)))
      .sort((a, b) => RANK[a.state] - RANK[b.state] || place(a, b) || b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  }

  get active() { return [...this.jobs.values()].filter((job) => FILTERS.active(job)).length; }
}

const RANK = { running: 0, queued: 1, succeeded: 2, failed: 2, cancelled: 2 };
const place = (a, b) => (a.state === "queued" && b.state === "queued" ? (a.position ?? 0) - (b.position ?? 0) : 0);

export const FILTERS = {
  all: () => true,
  active: (job) => job.state === "running" || job.state === "queued",
  done: (job) => job.state === "succeeded",
  failed: (job) => job.state === "failed" || job.state === "cancelled",
};
