// "Quick save" on the ribbon: no pane. The mail is handed in with mode auto, and its notification bar says what came of it.
// Outlook ends a command after five minutes; the run goes on at the server all the same.

import { keptIn } from "./key.js";
import { Outlook } from "./outlook.js";
import { Problem, Server } from "./server.js";
import { EMPTY, tell } from "./story.js";
import { follow, RUNGS } from "./transport/follow.js";

const facts = JSON.parse(document.getElementById("server")?.textContent ?? "{}");
const office = /** @type {any} */ (globalThis).Office;
const outlook = new Outlook(office);

/** @typedef {import("./story.js").Story} Story */

/** Whether the server offers a WebSocket, and the terms for it; null when this client has to do without.
 * @param {Server} server */
export async function tryWebSocketConnection(server) {
  const terms = await server.negotiate();
  return terms.features?.websocket === false || !server.WebSocket ? null : terms;
}

/** Follow a run to its end on the best rung that works: WebSocket, SSE, NDJSON, polling.
 * @param {Server} server @param {{run_id: string, cursor: string}} run @returns {Promise<Story>} */
export async function processWithWebSocket(server, run) {
  const rungs = (await tryWebSocketConnection(server)) ? RUNGS : RUNGS.filter(([name]) => name !== "websocket");
  let story = { ...EMPTY, sequence: Number(run.cursor.split(".")[1] ?? 0) };
  for await (const envelope of follow(server, run.run_id, run.cursor, { rungs })) story = tell(story, envelope);
  return story;
}

/** Hand the mail in, once however often it is sent. @param {Server} server @param {object} email */
export const sendToBackend = (server, email) => server.startRun({ ...email, mode: "auto" });

/** What came of it, for the notification bar. @param {Story} story @returns {{text: string, kind: "done" | "error"}} */
export function outcomeOf({ status, people, records, error, state, duplicates }) {
  const name = [people[0]?.fields["contact.full_name"]?.value ?? "The mail", people.length > 1 ? ` and ${people.length - 1} more` : ""].join("");
  if (status === "saved") return { kind: "done", text: `${name}: ${records.length} records are in the CRM.` };
  if (status === "nothing_to_file") return { kind: "done", text: "Nothing to file: this mail is about no candidate or client." };
  if (state === "review") return { kind: "error", text: duplicates.length ? "Nothing was saved: the CRM may hold this already. Press Intake to look." : "Nothing was saved: something is missing. Press Intake to look." };
  return { kind: "error", text: error?.message ?? "Nothing was saved. Press Intake to look." };
}

/** @param {{completed: () => void}} event */
async function quickSave(event) {
  try {
    await outlook.notify("Reading this mail…", "progress");
    const server = new Server({ bearer: facts.bearer, apiKey: facts.bearer ? null : keptIn(localStorage) });
    if (!server.bearer && !server.apiKey) throw new Problem(401, null);
    const { leftOut: _, ...email } = await outlook.readMail();
    const { text, kind } = outcomeOf(await processWithWebSocket(server, await sendToBackend(server, email)));
    await outlook.notify(text, kind);
  } catch (error) {
    await outlook.notify(sentenceFor(error), "error");
  } finally {
    event.completed();
  }
}

/** @param {unknown} error */
function sentenceFor(error) {
  if (error instanceof Problem && error.status === 401) return "Well Intake needs its key: press Intake and enter it once.";
  return error instanceof Error ? error.message : "This mail could not be handed in.";
}

office?.onReady(() => office.actions?.associate("quickSave", quickSave));
