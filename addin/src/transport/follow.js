// Follow a run over whatever gets through, for as long as it takes. Switching the way never touches the run.

import { Cut, Problem } from "../server.js";
import { overNdjson } from "./ndjson.js";
import { overPolling } from "./poll.js";
import { overSignalR } from "./signalr.js";
import { overSocket } from "./socket.js";
import { overSse } from "./sse.js";

/**
 * @typedef {import("../story.js").Envelope} Envelope
 * @typedef {import("../server.js").Server} Server
 * @typedef {import("../server.js").Terms} Terms
 * @typedef {(server: Server, terms: Terms, runId: string, cursor: string | null, rung: import("./body.js").Rung) => AsyncGenerator<Envelope>} Way
 * @typedef {object} Options
 * @property {AbortSignal} [signal]
 * @property {(rung: string | null) => void} [onRung]  the rung that works, null while none does
 * @property {(envelope: Envelope) => boolean} [until]  the last event wanted; default: the first settling one
 * @property {readonly (readonly [string, Way])[]} [rungs]
 * @property {{connect: number, silence: number}} [patience]  ms
 * @property {(ms: number) => Promise<void>} [pause]
 * @property {EventTarget} [network]  tells "online" when the network has changed
 */

/** @type {readonly (readonly [string, Way])[]} */
export const RUNGS = [["signalr", overSignalR], ["websocket", overSocket], ["sse", overSse], ["ndjson", overNdjson], ["polling", overPolling]];

const SETTLING = new Set(["review_ready", "complete", "error", "cancelled"]);

/** @param {Envelope} envelope */
export const settles = ({ type }) => SETTLING.has(type);

/** The log takes nothing more. @param {Envelope} envelope */
export const closes = ({ type, data }) => type === "complete" || type === "cancelled" || (type === "error" && !data.retryable);

/**
 * The events of a run after `cursor`, each once and without a gap, until one settles it (or `until` says so).
 * Comes back by itself after a cut. Throws `Problem` when the server refuses for good.
 * @param {Server} server @param {string} runId @param {string | null} cursor @param {Options} [options]
 * @returns {AsyncGenerator<Envelope>}
 */
export async function* follow(server, runId, cursor, options = {}) {
  const { signal = new AbortController().signal, onRung = () => {}, until = settles, rungs = RUNGS } = options;
  const { patience = { connect: 6000, silence: 45_000 }, network = globalThis.window } = options;
  const pause = options.pause ?? ((ms) => interruptible(ms, signal, network));
  const log = new Reader(server, runId, cursor);
  const ladder = new Ladder(rungs, onRung);
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop, { once: true });
    network?.addEventListener("online", stop);
    try {
      for await (const envelope of climb(server, log, ladder, attempt.signal, patience)) {
        yield envelope;
        if (until(envelope)) return;
      }
      if (log.closed) return;
      ladder.endedInPeace = true;
    } catch (error) {
      if (signal.aborted) return;
      ladder.failed(error);
    } finally {
      signal.removeEventListener("abort", stop);
      network?.removeEventListener("online", stop);
      attempt.abort();
    }
    const wait = log.justSettled() ? 0 : ladder.next();
    if (wait) await pause(wait);
  }
}

/**
 * One attempt on the ladder's present rung: first what was missed, then what comes.
 * @param {Server} server @param {Reader} log @param {Ladder} ladder @param {AbortSignal} signal
 * @param {{connect: number, silence: number}} patience @returns {AsyncGenerator<Envelope>}
 */
async function* climb(server, log, ladder, signal, patience) {
  ladder.begin();
  const terms = await server.negotiate();
  ladder.reached = true;
  if (log.sequence) yield* log.missed(signal);
  if (log.closed) return;
  const way = ladder.way(terms);
  for await (const told of way(server, terms, log.runId, log.cursor, { signal, patience, onLive: ladder.onLive }))
    for await (const envelope of log.next(told, signal)) {
      ladder.failures = 0;
      yield envelope;
    }
}

/** Which rung to stand on. A server that is away costs time; a rung that is blocked costs only the rung. */
class Ladder {
  step = 0;
  failures = 0;
  live = false;
  reached = false;
  endedInPeace = false;
  /** @type {number | undefined} */
  #retryAfter;

  /** @param {readonly (readonly [string, Way])[]} rungs @param {(rung: string | null) => void} onRung */
  constructor(rungs, onRung) {
    this.rungs = rungs;
    this.onRung = onRung;
  }

  begin() {
    this.live = this.reached = this.endedInPeace = false;
    this.#retryAfter = undefined;
  }

  onLive = () => {
    if (!this.live) this.onRung(this.rungs[this.step][0]);
    this.live = true;
  };

  /** @param {Terms} terms */
  way({ mode }) {
    if (this.rungs[this.step][0] === "signalr" && mode !== "signalr") this.step++;
    return this.rungs[this.step][1];
  }

  /** Throws what coming back cannot mend. @param {any} error */
  failed(error) {
    if (error instanceof Problem && error.isFinal) throw error;
    if (!(error instanceof Problem) && !isCut(error)) throw error;
    this.#retryAfter = error.retryAfter;
  }

  /** Choose the rung of the next attempt. Returns the ms to wait before it. */
  next() {
    // The server ends an idle stream after some minutes: nothing to tell anybody about.
    if (this.endedInPeace && this.live && !this.failures++) return backOff(0);
    const blocked = this.reached && !this.live && !this.#retryAfter;
    const fickle = this.live && this.failures >= 2;
    const last = this.step === this.rungs.length - 1;
    if (blocked || fickle) this.step = last ? 0 : this.step + 1;
    this.failures++;
    if (blocked && !last) return 0;
    this.onRung(null);
    return this.#retryAfter ? this.#retryAfter * 1000 : backOff(this.failures);
  }
}

/** The place in one run's log, and the client rule: the next event is taken, an older one dropped, a gap filled. */
class Reader {
  closed = false;
  #settled = false;

  /** @param {Server} server @param {string} runId @param {string | null} cursor */
  constructor(server, runId, cursor) {
    this.server = server;
    this.runId = runId;
    this.cursor = cursor;
    this.sequence = Number(cursor?.split(".")[1] ?? 0);
  }

  /** @param {Envelope} told @param {AbortSignal} signal @returns {AsyncGenerator<Envelope>} */
  async *next(told, signal) {
    if (told.sequence > this.sequence + 1 && told.type !== "reset") yield* this.missed(signal);
    if (this.#take(told)) yield told;
  }

  /** Everything that the log holds after the cursor. @param {AbortSignal} signal @returns {AsyncGenerator<Envelope>} */
  async *missed(signal) {
    for (;;) {
      const page = await this.server.page(this.runId, this.cursor, { signal });
      for (const told of page.events) if (this.#take(told)) yield told;
      this.closed = page.closed;
      if (!page.events.length) return;
    }
  }

  /** @param {Envelope} told */
  #take(told) {
    if (!told.sequence || (told.type !== "reset" && told.sequence !== this.sequence + 1)) return false;
    this.sequence = told.sequence;
    this.cursor = told.cursor;
    this.#settled = settles(told);
    return true;
  }

  /** Was the last event a settling one? Streams end after it, and that is no failure. Says so once. */
  justSettled() {
    const settled = this.#settled;
    this.#settled = false;
    return settled;
  }
}

/** Browsers say `TypeError` when the network goes away; a line cut in two is a `SyntaxError`. @param {any} error */
const isCut = (error) =>
  error instanceof Cut || error instanceof TypeError || error instanceof SyntaxError || ["AbortError", "TimeoutError"].includes(error?.name);

/** ms; jittered, so that everybody who was cut does not come back at once. @param {number} failures */
const backOff = (failures) => Math.min(5000, 150 * 2 ** failures) * (0.5 + Math.random() / 2);

/** @param {number} ms @param {AbortSignal} signal @param {EventTarget} [network] @returns {Promise<void>} */
function interruptible(ms, signal, network) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      network?.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    network?.addEventListener("online", done);
  });
}
