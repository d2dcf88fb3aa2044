import { Cut } from "../server.js";

const ACK_EVERY = 50;
const ACK_MS = 1000;
const PING_MS = 20_000;
/** How long a socket that was opened ahead waits for its run. */
const AHEAD_MS = 25_000;

/** @typedef {import("../story.js").Envelope} Envelope */
/** @typedef {import("../server.js").Terms} Terms */

/** @type {WeakMap<Terms, {line: Line, timer: ReturnType<typeof setTimeout>}>} sockets that nobody uses yet, by the terms that let them in */
const ahead = new WeakMap();

/** Open the socket while the mail is still on its way in: then its run is read a round trip sooner.
 * @param {import("../server.js").Server} server @param {Terms} terms */
export function openAhead(server, terms) {
  if (terms.mode !== "websocket" || !server.WebSocket) return;
  const line = new Line(server, terms);
  ahead.set(terms, { line, timer: setTimeout(() => ahead.delete(terms) && line.socket.close(1000), AHEAD_MS) });
}

/**
 * A run over a WebSocket (contract §5). Acknowledges what was taken, so that the server can wait for a slow reader.
 * @param {import("../server.js").Server} server @param {Terms} terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<Envelope>}
 */
export async function* overSocket(server, terms, runId, cursor, { signal, patience, onLive }) {
  const { line, timer } = ahead.get(terms) ?? { line: new Line(server, terms), timer: undefined };
  clearTimeout(timer);
  ahead.delete(terms);
  let last = 0;
  let acked = 0;
  const ack = () => {
    if (last > acked) line.send({ type: "ack", run_id: runId, sequence: (acked = last) });
  };
  const timers = [setInterval(ack, ACK_MS), setInterval(() => line.send({ type: "ping" }), PING_MS)];
  line.whenOpen(() => line.send({ type: "subscribe", run_id: runId, after: cursor, acks: true }));
  try {
    for await (const frame of line.frames(patience, signal)) {
      onLive();
      // A refusal: the HTTP rungs get the same one with a status that says whether it is final.
      if (frame.type === "error" && !frame.sequence) throw new Cut(frame.data?.code ?? "socket-refused");
      if (!frame.sequence) continue;
      yield frame;
      last = frame.sequence;
      if (last - acked >= ACK_EVERY) ack();
    }
  } finally {
    timers.forEach(clearInterval);
    line.socket.close(1000);
  }
}

/** One socket, and what it has said that nobody has taken yet. */
class Line {
  /** @type {Envelope[]} */
  #waiting = [];
  #ended = false;
  #heard = () => {};

  /** @param {import("../server.js").Server} server @param {Terms} terms */
  constructor(server, terms) {
    const { url, accessToken } = (terms.mode === "signalr" && terms.fallbacks?.find(({ transport }) => transport === "websocket")) || terms;
    this.socket = new server.WebSocket(/** @type {string} */ (url), ["wellintake.v1", `ticket.${accessToken}`]);
    this.socket.addEventListener("message", ({ data }) => {
      this.#waiting.push(...[JSON.parse(data)].flat());
      this.#heard();
    });
    this.socket.addEventListener("close", this.#end);
    this.socket.addEventListener("error", this.#end);
  }

  #end = () => {
    this.#ended = true;
    this.#heard();
  };

  /** @param {object} frame */
  send = (frame) => this.socket.readyState === 1 && this.socket.send(JSON.stringify(frame));

  /** @param {() => void} then */
  whenOpen(then) {
    if (this.socket.readyState === 1) then();
    else this.socket.addEventListener("open", then);
  }

  /**
   * What the socket says, in order; throws `Cut` when it ends, stays silent, or is told to stop.
   * @param {{connect: number, silence: number}} patience @param {AbortSignal} signal @returns {AsyncGenerator<Envelope>}
   */
  async *frames(patience, signal) {
    let timer = setTimeout(this.#end, this.#waiting.length ? patience.silence : patience.connect);
    signal.addEventListener("abort", this.#end, { once: true });
    try {
      for (;;) {
        for (let frame; (frame = this.#waiting.shift()); ) yield frame;
        if (this.#ended) throw new Cut("socket-closed");
        await new Promise((resolve) => (this.#heard = () => resolve(undefined)));
        clearTimeout(timer);
        timer = setTimeout(this.#end, patience.silence);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", this.#end);
    }
  }
}
