// What every page works with: the interface, the known jobs, the styles, and going from page to page.

import { EventFeed } from "./events.js";
import { JobStore } from "./store.js";
import { toast } from "./parts/toast.js";

const FIRST_JOBS = 200;

export class App {
  constructor(api) {
    this.api = api;
    this.store = new JobStore();
    this.feed = new EventFeed(api);
    this.styles = [];
    this.nextPage = null;
    /** The job whose end the page shows by itself. */
    this.shown = null;
  }

  async start() {
    this.feed.addEventListener("event", ({ detail }) => this.store.take(detail));
    this.feed.addEventListener("open", () => this.#list());
    this.store.addEventListener("change", ({ detail }) => this.#announce(detail));
    this.store.listing();
    this.feed.start();
    // A page that is kept for "back" must not keep its connection; when it comes back it takes up where it was.
    addEventListener("pagehide", () => this.feed.stop());
    addEventListener("pageshow", (event) => event.persisted && this.feed.start());
    this.styles = await this.api.styles();
  }

  async #list() {
    this.store.listing();
    try {
      const page = await this.api.jobs({ limit: FIRST_JOBS });
      this.nextPage = page.next;
      this.store.listed(page.jobs);
    } catch {
      this.store.listed([]);
    }
  }

  /** Load older jobs. */
  async more() {
    const page = await this.api.jobs({ limit: FIRST_JOBS, before: this.nextPage });
    this.nextPage = page.next;
    this.store.listing();
    this.store.listed(page.jobs.filter((job) => !this.store.get(job.id)));
  }

  /** Put what a call returned into the list, unless an event was quicker to say that the job has ended. */
  take(job) {
    const known = this.store.get(job.id);
    if (known?.finished_at && !job.finished_at && job.state === "running") return;
    this.store.take({ type: "answer", job });
  }

  /** Send a request; the page says so when its job ends. */
  async submit(request, priority = undefined) {
    const key = `console-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
    const job = await this.api.submit(priority === undefined ? request : { ...request, priority }, key);
    this.take(job);
    return job;
  }

  #announce({ job, type, before }) {
    if (before?.state === job.state) return;
    const open = { label: "Open", run: () => this.go(`#/return/${encodeURIComponent(job.id)}`) };
    if (type === "failed") toast(job.error?.sentence ?? "It failed, and did not say why.", { kind: "bad", title: `${job.title} failed` });
    else if (type === "succeeded" && job.id !== this.shown) toast("is ready", { kind: "good", title: job.title, action: open });
  }

  go(hash) { location.hash = hash; }
  style(id) { return this.styles.find((style) => style.id === id) ?? null; }
  styleName(id) { return this.style(id)?.name ?? id; }
  styleColour(id) { return this.style(id)?.colour ?? "var(--line-strong)"; }
}
