import { eventText } from "./body.js";
import { EventStream } from "./eventstream.js";

/**
 * Server-sent events by fetch: `EventSource` can send no Authorization header.
 * @param {import("../server.js").Server} server @param {import("../server.js").Terms} _terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<import("../story.js").Envelope>}
 */
export async function* overSse(server, _terms, runId, cursor, rung) {
  const stream = new EventStream();
  for await (const text of eventText(server, runId, cursor, "text/event-stream", rung))
    for (const event of stream.feed(text)) yield JSON.parse(event.data);
}
