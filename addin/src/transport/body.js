// A long answer, read as it comes. Silence is a failure: a dead connection says nothing either.

import { Cut, eventsPath } from "../server.js";

/**
 * @typedef {{signal: AbortSignal, patience: {connect: number, silence: number}, onLive: () => void}} Rung
 *   `patience` in ms; `onLive` is called when the server's first words have come.
 */

/**
 * The text of a run's event stream, in chunks. Ends when the server ends it; throws `Cut` or `Problem` otherwise.
 * @param {import("../server.js").Server} server @param {string} runId @param {string | null} cursor @param {string} accept
 * @param {Rung} rung @returns {AsyncGenerator<string, void, void>}
 */
export async function* eventText(server, runId, cursor, accept, { signal, patience, onLive }) {
  const own = new AbortController();
  const stop = () => own.abort();
  signal.addEventListener("abort", stop, { once: true });
  let timer = setTimeout(stop, patience.connect);
  try {
    const response = await server.request(eventsPath(runId, cursor), { headers: { Accept: accept }, signal: own.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(stop, patience.silence);
      onLive();
      yield value;
    }
  } catch (error) {
    throw error instanceof TypeError || own.signal.aborted ? new Cut("stream", { cause: error }) : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    own.abort();
  }
}
