import { eventText } from "./body.js";

/**
 * One JSON document a line.
 * @param {import("../server.js").Server} server @param {import("../server.js").Terms} _terms @param {string} runId
 * @param {string | null} cursor @param {import("./body.js").Rung} rung @returns {AsyncGenerator<import("../story.js").Envelope>}
 */
export async function* overNdjson(server, _terms, runId, cursor, rung) {
  let rest = "";
  for await (const text of eventText(server, runId, cursor, "application/x-ndjson", rung)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) yield JSON.parse(line);
  }
}
