// A run over Azure SignalR, by Microsoft's own client. The service may lose, double and reorder what it is given: what is
// missing is read from the log, at once when a gap shows it, and after a while of silence when nothing does.

import { Cut } from "../server.js";

const QUIET_MS = 4000;

/** @typedef {import("../story.js").Envelope} Envelope */

/**
 * @param {import("../server.js").Server} server @param {import("../server.js").Terms} terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<Envelope>}
 */
export async function* overSignalR(server, terms, runId, cursor, { signal, patience, onLive }) {
  const { HubConnectionBuilder, LogLevel } = await library();
  const connection = new HubConnectionBuilder()
    .withUrl(terms.url, { accessTokenFactory: () => terms.accessToken, withCredentials: false })
    .configureLogging(LogLevel.None)
    .build();
  const inbox = new Inbox();
  connection.on("event", (/** @type {Envelope[]} */ ...envelopes) => inbox.put(envelopes.filter((told) => told.run_id === runId)));
  connection.onclose(() => inbox.end());
  signal.addEventListener("abort", inbox.end, { once: true });
  const page = async () => {
    const { events, closed, cursor: at } = await server.page(runId, cursor, { signal });
    if (closed && !events.length) inbox.end();
    cursor = at ?? cursor;
    return events;
  };
  try {
    yield* await page();  // while the way to Azure is still being opened, the first fields are there
    await within(patience.connect, connection.start());
    onLive();
    await server.subscribe(runId, signal);
    for (;;) {
      yield* await page();
      for (let told = []; (told = await inbox.next(QUIET_MS)).length; ) yield* told;
      if (inbox.ended) throw new Cut("azure-closed");
    }
  } finally {
    signal.removeEventListener("abort", inbox.end);
    void connection.stop();
  }
}

/** What has come and was not taken yet. */
class Inbox {
  ended = false;
  /** @type {Envelope[]} */
  #waiting = [];
  #wake = () => {};

  /** @param {Envelope[]} envelopes */
  put(envelopes) {
    this.#waiting.push(...envelopes);
    this.#wake();
  }

  end = () => {
    this.ended = true;
    this.#wake();
  };

  /** Nothing after `ms` of silence, or at the end. @param {number} ms @returns {Promise<Envelope[]>} */
  async next(ms) {
    if (!this.#waiting.length && !this.ended)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, ms, undefined);
        this.#wake = () => (clearTimeout(timer), resolve(undefined));
      });
    return this.#waiting.splice(0);
  }
}

/** @param {number} ms @param {Promise<void>} work */
async function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Cut("azure-silent")), ms)));
  try {
    await Promise.race([work, late]);
  } catch (error) {
    throw new Cut("azure-unreachable", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Loaded only where it is used. @returns {Promise<typeof import("@microsoft/signalr")>} */
async function library() {
  const global = /** @type {any} */ (globalThis);
  if (!global.signalR) await import("../vendor/signalr.js").catch((error) => {
    throw new Cut("azure-client", { cause: error });
  });
  return global.signalR;
}
