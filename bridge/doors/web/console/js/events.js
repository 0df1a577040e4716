// The stream of job events: WebSocket, or server-sent events where a WebSocket does not open; back by itself, from the
// last event that was seen, so that none is missed.
//
// Tells: "event" (detail: a JobEvent), "open" (detail: whether it is a first connection), "down".

import { sseMessages } from "./sse.js";

const WAITS_MS = [250, 500, 1000, 2000, 4000, 8000];
const REFUSALS_BEFORE_SSE = 2;
const SILENT_MS = 15000;

export class EventFeed extends EventTarget {
  constructor(api) {
    super();
    this.api = api;
    this.lastId = null;
    this.way = "websocket";
    this.connected = false;
    this.tries = 0;
    this.refusals = 0;
    this.ended = false;
  }

  start() {
    this.ended = false;
    this.#connect();
  }

  stop() {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.abort?.abort();
  }

  /** Drop the connection as a network would; it comes back by itself. */
  drop() {
    this.socket?.close();
    this.abort?.abort();
  }

  #connect() {
    if (this.ended) return;
    if (this.way === "websocket") this.#overWebSocket();
    else this.#overSse();
  }

  get #after() { return this.lastId === null ? "" : `?after=${this.lastId}`; }

  #overWebSocket() {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v2/events${this.#after}`;
    const socket = new WebSocket(address, ["nrx", `nrx.token.${this.api.token}`]);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.refusals = 0;
      this.#isUp();
    };
    socket.onmessage = (message) => this.#take(message.data);
    socket.onclose = () => {
      if (!opened) this.refusals += 1;
      if (this.refusals >= REFUSALS_BEFORE_SSE) this.way = "sse";
      this.#isDown();
    };
  }

  async #overSse() {
    this.abort = new AbortController();
    let heard = performance.now();
    const watch = setInterval(() => performance.now() - heard > 4 * SILENT_MS && this.abort.abort(), SILENT_MS);
    try {
      const headers = { Accept: "text/event-stream", ...(this.lastId === null ? {} : { "Last-Event-ID": String(this.lastId) }) };
      const response = await this.api.fetch(`/v2/events${this.#after}`, { headers, signal: this.abort.signal });
      this.#isUp();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const messages = sseMessages();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        heard = performance.now();
        for (const message of messages.push(value)) this.#take(message.data);
      }
    } catch (error) {
      if (error.status === 401) this.ended = true;
    } finally {
      clearInterval(watch);
      this.#isDown();
    }
  }

  #take(text) {
    let event;
    try {
      event = JSON.parse(text);
    } catch {
      return;
    }
    if (!Number.isInteger(event?.id) || !event.job || (this.lastId !== null && event.id <= this.lastId)) return;
    this.lastId = event.id;
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #isUp() {
    this.tries = 0;
    this.connected = true;
    this.dispatchEvent(new Event("open"));
  }

  #isDown() {
    const was = this.connected;
    this.connected = false;
    if (this.ended) return;
    if (was || this.tries === 0) this.dispatchEvent(new Event("down"));
    const wait = WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.#connect(), wait);
  }
}
