// "Then master it": a mix that is to be mastered when it is done. What is wanted is kept in this browser, so that it
// happens after a reload too; the daemon takes it once (its key names the mix), however many pages are open.

const KEY = "nrx.then-master";

const wanted = () => JSON.parse(localStorage.getItem(KEY) ?? "{}");
const keep = (chains) => localStorage.setItem(KEY, JSON.stringify(chains));

export function masterAfter(jobId, targets) { keep({ ...wanted(), [jobId]: targets }); }

/** Watch the jobs, and hand finished mixes on. */
export function watchChains(app, tell) {
  async function look(job) {
    const chains = wanted();
    const targets = chains[job.id];
    if (targets === undefined || !["succeeded", "failed", "cancelled"].includes(job.state)) return;
    delete chains[job.id];
    keep(chains);
    if (job.state !== "succeeded") return;
    try {
      const request = { action: "master", inputs: [{ path: `${job.folder}/mix.wav`, name: `${job.title} mix.wav` }], ...targets };
      app.take(await app.api.submit(request, `master-of-${job.id}`));
    } catch (error) {
      tell(error, `${job.title} was mixed, but not mastered`);
    }
  }
  app.store.addEventListener("change", ({ detail }) => look(detail.job));
  app.store.addEventListener("reset", () => { for (const job of app.store.list()) look(job); });
}
