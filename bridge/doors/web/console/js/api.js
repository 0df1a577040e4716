// The daemon's HTTP interface. Every refusal comes back as an `ApiError` with the daemon's own code and sentence.

export class ApiError extends Error {
  constructor(code, sentence, status) {
    super(sentence);
    this.code = code;
    this.sentence = sentence;
    this.status = status;
  }
}

const OFFLINE = "The daemon does not answer. Is `nrx serve` still running? This page goes on by itself when it is back.";

function refusal(status, body) {
  const error = body?.error;
  return new ApiError(error?.code ?? "internal", error?.sentence ?? `The daemon answered ${status}, and did not say why.`, status);
}

async function bodyOf(response) {
  if (response.status === 204) return null;
  const type = response.headers.get("content-type") ?? "";
  return type.includes("json") ? response.json() : null;
}

const query = (values) => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== null && value !== "") search.set(name, value);
  const text = search.toString();
  return text ? `?${text}` : "";
};
const segments = (path) => path.split("/").map(encodeURIComponent).join("/");

export class Api extends EventTarget {
  constructor(token) {
    super();
    this.token = token;
  }

  async call(method, path, { json, signal, headers = {} } = {}) {
    const response = await this.fetch(path, {
      method,
      signal,
      headers: { ...headers, ...(json === undefined ? {} : { "Content-Type": "application/json" }) },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
    return bodyOf(response);
  }

  /** Fetch with the token. Raises ApiError for every answer that is not 2xx; 401 is also told as an event. */
  async fetch(path, options = {}) {
    let response;
    try {
      response = await fetch(path, {
        cache: "no-store", credentials: "omit", ...options, headers: { ...options.headers, Authorization: `Bearer ${this.token}` },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError("daemon.absent", OFFLINE, 0);
    }
    if (response.ok) return response;
    if (response.status === 401) this.dispatchEvent(new Event("signed-out"));
    throw refusal(response.status, await bodyOf(response).catch(() => null));
  }

  // --- jobs
  submit(request, key) {
    return this.call("POST", "/v2/jobs", { json: request, headers: key ? { "Idempotency-Key": key } : {} });
  }
  jobs(filter = {}) { return this.call("GET", `/v2/jobs${query(filter)}`); }
  job(id) { return this.call("GET", `/v2/jobs/${encodeURIComponent(id)}`); }
  cancel(id) { return this.call("POST", `/v2/jobs/${encodeURIComponent(id)}/cancel`); }
  retry(id) { return this.call("POST", `/v2/jobs/${encodeURIComponent(id)}/retry`); }
  remove(id, files) { return this.call("DELETE", `/v2/jobs/${encodeURIComponent(id)}?files=${files}`); }
  queue() { return this.call("GET", "/v2/queue"); }
  pause(paused) { return this.call("POST", `/v2/queue/${paused ? "pause" : "resume"}`); }

  // --- what there is
  async styles() { return asList(await this.call("GET", "/v2/styles"), "styles"); }
  presets() { return this.call("GET", "/v2/presets"); }
  system() { return this.call("GET", "/v2/system"); }

  // --- returns
  returns(filter = {}) { return this.call("GET", `/v2/returns${query(filter)}`); }
  manifest(id) { return this.call("GET", `/v2/returns/${encodeURIComponent(id)}`); }
  peaks(id, columns) { return this.call("GET", `/v2/returns/${encodeURIComponent(id)}/peaks?columns=${columns}`); }
  filePath(id, file) { return `/v2/returns/${encodeURIComponent(id)}/files/${segments(file)}`; }
  sourcePath(id) { return `/v2/returns/${encodeURIComponent(id)}/source`; }
  zipPath(id) { return `/v2/returns/${encodeURIComponent(id)}/zip`; }

  /** Fetch bytes [start, end) of a file, and the file's whole length where the daemon tells it. */
  async range(path, start, end, signal) {
    const response = await this.fetch(path, { headers: { Range: `bytes=${start}-${end - 1}` }, signal });
    const total = Number((response.headers.get("content-range") ?? "").split("/")[1]) || null;
    const buffer = await response.arrayBuffer();
    return response.status === 206
      ? { buffer, total: total ?? buffer.byteLength }
      : { buffer: buffer.slice(start, end), total: buffer.byteLength };
  }

  /** Return a link that works without a header, for a while. */
  async ticket(path) { return (await this.call("POST", "/v2/tickets", { json: { path } })).url; }

  /** Save a file of a return, a zip or a source by a short-lived link. */
  async download(path, name = "") {
    const link = document.createElement("a");
    link.href = await this.ticket(path);
    link.download = name;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** Send a file; `progress` hears fractions. Resolves to the upload's record. (fetch cannot tell progress: XHR.) */
  upload(file, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `/v2/uploads${query({ name: file.name })}`);
      request.setRequestHeader("Authorization", `Bearer ${this.token}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) return resolve(request.response);
        if (request.status === 401) this.dispatchEvent(new Event("signed-out"));
        return reject(refusal(request.status, request.response));
      };
      request.onerror = () => reject(new ApiError("daemon.absent", OFFLINE, 0));
      request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
      signal?.addEventListener("abort", () => request.abort(), { once: true });
      request.send(file);
    });
  }
}

const asList = (body, name) => (Array.isArray(body) ? body : body[name] ?? []);

/** Trade a one-time code for the token. */
export async function openSession(code) {
  let response;
  try {
    response = await fetch("/v2/session", {
      method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }),
    });
  } catch {
    throw new ApiError("daemon.absent", OFFLINE, 0);
  }
  const body = await bodyOf(response).catch(() => null);
  if (!response.ok) throw refusal(response.status, body);
  return body.token;
}
