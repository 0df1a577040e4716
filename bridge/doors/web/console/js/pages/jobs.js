// All jobs, live: filter, search, pause the queue.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { segments } from "../parts/fields.js";
import { jobList } from "../parts/job.js";
import { tell } from "../parts/toast.js";

export function jobsPage(app) {
  const search = h("input", { type: "search", placeholder: "Search jobs", "aria-label": "Search jobs", onInput: () => list.refresh() });
  const filter = segments({ label: "Show", value: "all", onChange: () => list.refresh(),
    options: [["all", "All"], ["active", "At work"], ["done", "Done"], ["failed", "Failed"]] });
  const pause = h("button", { type: "button", class: "quiet", hidden: true, onClick: toggle });
  const more = h("button", { type: "button", class: "quiet", onClick: () => app.more().then(showMore, tell) }, "Older jobs");
  const list = jobList(app, () => app.store.list(filter.value(), search.value), h("p", {}, "No jobs here."));
  let paused = false;

  function showPause(queue) {
    paused = queue.paused;
    pause.hidden = false;
    fill(pause, icon(paused ? "play" : "pause", 16), paused ? "Go on" : "Pause the queue");
    pause.setAttribute("aria-pressed", String(paused));
    banner.hidden = !paused;
  }
  async function toggle() {
    try {
      showPause(await app.api.pause(!paused));
    } catch (error) {
      tell(error);
    }
  }
  const banner = h("p", { class: "banner", hidden: true }, "The queue is paused: running jobs finish, waiting ones wait.");
  const showMore = () => { more.hidden = !app.nextPage; };
  app.store.addEventListener("reset", showMore);
  showMore();
  app.api.queue().then(showPause, tell);
  return {
    element: h("div", { class: "page" },
      h("div", { class: "row-between" }, h("h1", {}, "Jobs"), pause),
      banner,
      h("div", { class: "tools" }, h("div", { class: "search" }, icon("search", 16), search), filter.element),
      list.element, more),
    close() {
      list.close();
      app.store.removeEventListener("reset", showMore);
    },
  };
}
