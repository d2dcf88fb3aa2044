/**
 * Long polling: works wherever HTTP works.
 * @param {import("../server.js").Server} server @param {import("../server.js").Terms} _terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<import("../story.js").Envelope>}
 */
export async function* overPolling(server, _terms, runId, cursor, { signal, onLive }) {
  for (let after = cursor, wait = 0; ; wait = 20) {
    const page = await server.page(runId, after, { wait, signal: AbortSignal.any([signal, AbortSignal.timeout((wait + 10) * 1000)]) });
    onLive();
    yield* page.events;
    if (page.closed && !page.events.length) return;
    after = page.cursor ?? after;
  }
}
