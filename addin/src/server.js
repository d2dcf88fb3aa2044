// The server's HTTP side, as functions of a run. Sockets and streams are in transport/.

import { heard, text } from "./texts.js";

/** A refusal in the server's own words, fit to show (RFC 9457). */
export class Problem extends Error {
  /** @param {number} status @param {any} document @param {number} [retryAfter] seconds */
  constructor(status, document, retryAfter) {
    super(sentenceFrom(document) || text("server.refused", { status }));
    this.status = status;
    this.code = /** @type {string} */ (document?.code ?? "");
    this.retryAfter = retryAfter;
  }

  /** Asking again would give the same answer. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/** The server did not answer, or stopped answering. Coming back with the cursor is right. */
export class Cut extends Error {
  /** @param {string} reason  a word for whoever looks for faults @param {{cause?: unknown, sentence?: string}} [about]  what the user is told */
  constructor(reason, { cause, sentence = text("server.away") } = {}) {
    super(sentence, { cause });
    this.reason = reason;
  }
}

/** @param {any} document */
function sentenceFrom(document) {
  const errors = (document?.errors ?? []).map(errorSentence).filter(Boolean);
  return [heard(document?.detail ?? document?.title ?? ""), ...errors].filter(Boolean).join(" ");
}

/** @param {any} error */
function errorSentence(error) {
  if (typeof error === "string") return heard(error);
  const field = error.field ?? error.loc?.join?.(".") ?? error.pointer;
  const message = heard(error.message ?? error.detail ?? error.msg ?? "");
  return field && message ? text("server.field", { field, message }) : message;
}

/**
 * @typedef {{url: string, mode: string, accessToken: string, bearer?: string, features?: Record<string, boolean>,
 *   fallbacks?: {transport: string, url: string, accessToken?: string}[]}} Terms
 * @typedef {{run_id: string, state: string, events: import("./story.js").Envelope[], cursor: string, closed: boolean}} Page
 */

/** How old terms may be that were asked for ahead. */
const FRESH_MS = 20_000;

export class Server {
  /** @type {{at: number, terms: Promise<Terms>} | null} */
  #ahead = null;

  /**
   * @param {{base?: string, bearer?: string | null, apiKey?: string | null, fetch?: typeof globalThis.fetch,
   *   WebSocket?: typeof globalThis.WebSocket}} options  `base` is the server's origin, "" for the page's own
   */
  constructor({ base = "", bearer = null, apiKey = null, fetch = globalThis.fetch, WebSocket = globalThis.WebSocket } = {}) {
    this.base = base;
    this.bearer = bearer;
    this.apiKey = apiKey;
    this.fetch = fetch.bind(globalThis);
    this.WebSocket = WebSocket;
    /** Where another bearer comes from when this one is no good any more; null when there is none. @type {(() => Promise<string | null>) | null} */
    this.renew = null;
  }

  /** Ask for a socket ticket while something else is under way, unless one is there. A ticket lives 60 s and works once.
   * @param {(terms: Terms) => void} [then]  what can be done with it already */
  prepare(then = () => {}) {
    if (this.#ahead && Date.now() - this.#ahead.at < FRESH_MS) return;
    const terms = this.#negotiate();
    const ahead = { at: Date.now(), terms };
    this.#ahead = ahead;
    terms.then(then).catch(() => {  // whoever needs them asks again, perhaps as somebody else by then
      if (this.#ahead === ahead) this.#ahead = null;
    });
  }

  /** @returns {Promise<Terms>} */
  negotiate() {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead && Date.now() - ahead.at < FRESH_MS ? ahead.terms : this.#negotiate();
  }

  async #negotiate() {
    const terms = await this.#json("/stream/negotiate", { signal: AbortSignal.timeout(8000) });
    // A key stays the better credential where there is one; a bearer is renewed before its hour is over.
    if (!this.apiKey && terms.bearer) this.bearer = terms.bearer;
    return /** @type {Terms} */ (terms);
  }

  /**
   * @param {object} email  contract §3 @param {string} key  the same key and e-mail start one run, however often it is sent
   * @returns {Promise<{run_id: string, cursor: string, links: Record<string, string>, isReplay: boolean}>}  `isReplay`: this
   *   mail was handed in before
   */
  startRun(email, key = newKey()) {
    return this.#again(async () => {
      const response = await this.request("/stream/runs", { method: "POST", body: email, headers: { "Idempotency-Key": key } });
      return { ...(await bodyOf(response)), isReplay: response.headers.get("X-Idempotent-Replay") === "true" };
    });
  }

  /** @param {string} runId @param {object} corrections */
  save = (runId, corrections) => this.#again(() => this.#json(`/stream/runs/${runId}/save`, { method: "POST", body: { corrections } }));

  /** Have the run pushed to our connections at Azure. @param {string} runId @param {AbortSignal} signal */
  subscribe = (runId, signal) => this.#json(`/stream/runs/${runId}/subscribe`, { method: "POST", body: {}, signal });

  /** @param {string} runId */
  cancel = (runId) => this.#again(() => this.#json(`/stream/runs/${runId}/cancel`, { method: "POST", body: {} }));

  /** @param {string} runId */
  undo = (runId) => this.#again(() => this.#json(`/stream/runs/${runId}/undo`, { method: "POST", body: {} }));

  /** What research found too late for the save. @param {string} runId @returns {Promise<{company: Record<string, string>}>} */
  offered = (runId) => this.#json(`/stream/runs/${runId}/followup`);

  /** @param {string} runId @param {Record<string, string>} company */
  followUp = (runId, company) => this.#again(() => this.#json(`/stream/runs/${runId}/followup`, { method: "POST", body: { company } }));

  /** @param {string} runId */
  retry = (runId) => this.#json(`/stream/runs/${runId}/retry`, { method: "POST", body: {} });

  /** The same mail once more, by the model; a run of its own that writes nothing. @param {string} runId @returns {Promise<{run_id: string, cursor: string}>} */
  rerun = (runId) => this.#json(`/stream/runs/${runId}/rerun`, { method: "POST", body: { engine: "model" } });

  /** @param {string} runId @returns {Promise<any>} */
  snapshot = (runId) => this.#json(`/stream/runs/${runId}`);

  /** The canonical text that evidence points into, as far as it is known.
   * @param {string} runId @returns {Promise<{sources: Record<string, string>, attachments: {filename: string, is_inline: boolean}[]}>} */
  mail = (runId) => this.#json(`/stream/runs/${runId}/mail`);

  /**
   * The log after a cursor, as one page; with `wait` it answers at the next event or after so many seconds.
   * @param {string} runId @param {string | null} after @param {{wait?: number, signal?: AbortSignal}} [options] @returns {Promise<Page>}
   */
  page(runId, after, { wait = 0, signal } = {}) {
    return this.#json(eventsPath(runId, after, wait), { headers: { Accept: "application/json" }, signal });
  }

  /**
   * Any call: the answer when it is 2xx, else a `Problem`; a `Cut` when there was none.
   * @param {string} path @param {{method?: string, body?: object, headers?: Record<string, string>, signal?: AbortSignal, isRenewed?: boolean}} [request]
   * @returns {Promise<Response>}
   */
  async request(path, { method = "GET", body, headers = {}, signal, isRenewed = false } = {}) {
    const response = await this.fetch(this.base + path, {
      method, signal, credentials: "same-origin", cache: "no-store",
      headers: { ...this.#credential(), ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
      body: body && JSON.stringify(body),
    }).catch((error) => {
      throw new Cut("unreachable", { cause: error });
    });
    if (response.ok) return response;
    if (response.status === 401 && this.renew && !isRenewed && (await this.#renewed())) return this.request(path, { method, body, headers, signal, isRenewed: true });
    const document = await response.json().catch(() => null);
    throw new Problem(response.status, document, Number(response.headers.get("Retry-After")) || undefined);
  }

  /** @param {string} path @param {Parameters<Server["request"]>[1]} [request] @returns {Promise<any>} */
  async #json(path, request) {
    return bodyOf(await this.request(path, request));
  }

  async #renewed() {
    const [old, bearer] = [this.bearer, await this.renew?.()];
    this.bearer = bearer ?? old;
    return this.bearer !== old;
  }

  /** @returns {Record<string, string>} */
  #credential() {
    if (this.apiKey) return { "X-API-Key": this.apiKey };
    return this.bearer ? { Authorization: `Bearer ${this.bearer}` } : {};
  }

  /** For idempotent calls: a server that is just restarting should not cost the user a click. @param {() => Promise<any>} call */
  async #again(call) {
    for (let wait = 300; ; wait *= 2) {
      try {
        return await call();
      } catch (error) {
        const away = error instanceof Cut || (error instanceof Problem && [502, 503, 504].includes(error.status));
        if (!away || wait > 5000) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
      }
    }
  }
}

/** @param {Response} response @returns {Promise<any>} */
const bodyOf = async (response) => response.status === 204 ? null : response.json().catch((error) => {
  throw new Cut("answer", { cause: error, sentence: text("server.brokeOff") });
});

/** @param {string} runId @param {string | null} after @param {number} [wait] seconds */
export function eventsPath(runId, after, wait = 0) {
  const query = new URLSearchParams({ ...(after ? { after } : {}), ...(wait ? { wait: String(wait) } : {}) });
  return `/stream/runs/${runId}/events?${query}`;
}

/** `crypto.randomUUID` is missing on plain http. */
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
