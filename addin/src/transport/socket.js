import { Cut } from "../server.js";

const ACK_EVERY = 50;
const ACK_MS = 1000;
const PING_MS = 20_000;

/** @typedef {import("../story.js").Envelope} Envelope */

/**
 * A run over a WebSocket (contract §5). Acknowledges what was taken, so that the server can wait for a slow reader.
 * @param {import("../server.js").Server} server @param {import("../server.js").Terms} terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<Envelope>}
 */
export async function* overSocket(server, terms, runId, cursor, { signal, patience, onLive }) {
  const { url, accessToken } = (terms.mode === "signalr" && terms.fallbacks?.find(({ transport }) => transport === "websocket")) || terms;
  const socket = new server.WebSocket(url, ["wellintake.v1", `ticket.${accessToken}`]);
  const send = (/** @type {object} */ frame) => socket.readyState === 1 && socket.send(JSON.stringify(frame));
  const frames = framesOf(socket, patience, signal);
  let last = 0;
  let acked = 0;
  const ack = () => {
    if (last > acked) send({ type: "ack", run_id: runId, sequence: (acked = last) });
  };
  const timers = [setInterval(ack, ACK_MS), setInterval(() => send({ type: "ping" }), PING_MS)];
  socket.addEventListener("open", () => send({ type: "subscribe", run_id: runId, after: cursor, acks: true }));
  try {
    for await (const frame of frames) {
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
    socket.close(1000);
  }
}

/**
 * What a socket says, in order; throws `Cut` when it ends, stays silent, or is told to stop.
 * @param {WebSocket} socket @param {{connect: number, silence: number}} patience @param {AbortSignal} signal
 * @returns {AsyncGenerator<Envelope>}
 */
function framesOf(socket, patience, signal) {
  /** @type {Envelope[]} */
  const waiting = [];
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  let timer = setTimeout(end, patience.connect);
  socket.addEventListener("message", ({ data }) => {
    clearTimeout(timer);
    timer = setTimeout(end, patience.silence);
    waiting.push(...[JSON.parse(data)].flat());
    wake();
  });
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  signal.addEventListener("abort", end, { once: true });
  return (async function* () {
    try {
      for (;;) {
        while (waiting.length) yield /** @type {Envelope} */ (waiting.shift());
        if (ended) throw new Cut("socket-closed");
        await new Promise((resolve) => (wake = () => resolve(undefined)));
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  })();
}
