// One job in a list: where it stands, and what can be done with it. `update(job)` changes what is there, so that focus
// stays where it is.

import { fill, h } from "../dom.js";
import { ago, clock, left, percent, span } from "../format.js";
import { icon } from "../icons.js";
import { ACTIONS, DOORS, STAGES, STATES } from "../words.js";
import { ask } from "./dialog.js";
import { tell } from "./toast.js";

export function jobRow(app, job) {
  const title = h("a", { class: "job-title" });
  const badge = h("span", { class: "badge" });
  const meta = h("p", { class: "hint job-meta" });
  const bar = h("progress", { max: 1 });
  const said = h("p", { class: "job-said" });
  const buttons = h("div", { class: "job-buttons" });
  const element = h("li", { class: "job", data: { id: job.id } },
    h("div", { class: "job-head" }, title, badge), meta, bar, said, buttons);
  let shape = "";

  function update(now) {
    job = now;
    element.dataset.state = job.state;
    element.style.setProperty("--style", app.styleColour(job.style));
    title.textContent = job.title;
    if (job.state === "succeeded") title.href = `#/return/${encodeURIComponent(job.id)}`;
    else title.removeAttribute("href");
    badge.textContent = job.cancelling ? "Stopping" : STATES[job.state];
    badge.dataset.state = job.state;
    meta.textContent = [
      ACTIONS[job.action] ?? job.action, job.style && app.styleName(job.style), DOORS[job.door] && `from ${DOORS[job.door]}`,
      ago(job.created_at, Date.now() / 1000), job.attempt > 1 && `attempt ${job.attempt}`,
    ].filter(Boolean).join(" · ");
    const working = job.state === "running";
    bar.hidden = !working;
    bar.value = job.fraction;
    bar.setAttribute("aria-label", `${job.title}: ${percent(job.fraction)}`);
    said.textContent = sentence(job);
    said.classList.toggle("problem", job.state === "failed");
    said.hidden = !said.textContent;
    const wanted = `${job.state}${job.cancelling}`;
    if (wanted !== shape) {
      shape = wanted;
      const had = buttons.contains(document.activeElement);
      fill(buttons, ...actions());
      if (had) (buttons.querySelector("a, button") ?? title).focus();
    }
  }

  const act = (label, name, run, kind = "quiet") =>
    h("button", { type: "button", class: `${kind} small`, onClick: () => run().catch((error) => tell(error)), "aria-label": `${label} ${job.title}` },
      icon(name, 16), h("span", {}, label));

  function actions() {
    if (job.state === "queued" || job.state === "running") {
      return job.cancelling ? [] : [act("Cancel", "close", async () => app.take(await app.api.cancel(job.id)))];
    }
    return [
      job.state === "succeeded" && h("a", { class: "button small primary", href: `#/return/${encodeURIComponent(job.id)}`, "aria-label": `Open ${job.title}` }, icon("open", 16), "Open"),
      job.state !== "succeeded" && act("Retry", "retry", async () => app.take(await app.api.retry(job.id)), "primary"),
      act("Delete", "trash", remove),
    ].filter(Boolean);
  }

  async function remove() {
    const answers = job.state === "succeeded"
      ? [["list", "Remove from the list"], ["files", "Delete the files too", "danger"]]
      : [["list", "Remove from the list", "danger"]];
    const words = job.state === "succeeded" ? "The files of its return can stay where they are, or go too. Your original is never touched." : "Nothing else is touched.";
    const answer = await ask({ title: `Delete ${job.title}?`, words, answers });
    if (answer === null) return;
    await app.api.remove(job.id, answer === "files");
    app.store.take({ type: "deleted", job });
  }

  update(job);
  return { element, update, get job() { return job; } };
}

/** What is happening to a job, in words. */
export function sentence(job) {
  if (job.state === "queued") return job.position ? `${job.position} before it` : "next";
  if (job.state === "running") {
    if (job.cancelling) return "being cancelled";
    const stage = STAGES[job.stage] ?? (job.stage || "Starting");
    return [stage, percent(job.fraction), left(job.left_s)].filter(Boolean).join(" · ");
  }
  if (job.state === "failed") return job.error?.sentence ?? "";
  if (job.state === "succeeded" && job.started_at && job.finished_at) return `took ${span(Math.max(1, job.finished_at - job.started_at))}`;
  if (job.state === "cancelled" && job.finished_at && job.started_at) return `stopped after ${clock(job.finished_at - job.started_at)}`;
  return "";
}

const REFRESH_MS = 50;
export const MOST_ROWS = 300;

/** A list that keeps its rows while jobs change, `MOST_ROWS` at most, however quickly events come. `pick()` returns the jobs to show. Returns {element, close}. */
export function jobList(app, pick, empty) {
  const list = h("ul", { class: "jobs" });
  const nothing = h("div", { class: "empty" }, empty);
  const element = h("div", {}, list, nothing);
  const rows = new Map();

  function refresh() {
    const jobs = pick().slice(0, MOST_ROWS);
    const wanted = new Set(jobs.map((job) => job.id));
    for (const [id, row] of rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    let before = null;
    for (const job of jobs) {
      let row = rows.get(job.id);
      if (row) row.update(job);
      else rows.set(job.id, row = jobRow(app, job));
      const place = before ? before.nextSibling : list.firstChild;
      if (place !== row.element) list.insertBefore(row.element, place);
      before = row.element;
    }
    nothing.hidden = jobs.length > 0;
  }

  let due = 0;
  const change = () => {
    due ||= setTimeout(() => {
      due = 0;
      refresh();
    }, REFRESH_MS);
  };
  app.store.addEventListener("change", change);
  app.store.addEventListener("reset", change);
  const timer = setInterval(refresh, 30000);
  refresh();
  return {
    element,
    refresh,
    close() {
      clearInterval(timer);
      clearTimeout(due);
      app.store.removeEventListener("change", change);
      app.store.removeEventListener("reset", change);
    },
  };
}
