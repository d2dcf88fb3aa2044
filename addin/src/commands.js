// "Quick save" on the ribbon: no pane. The mail is handed in with mode auto, and its notification bar says what came of it.
// Outlook ends a command after five minutes; the run goes on at the server all the same.

import { keptIn } from "./key.js";
import { Outlook } from "./outlook.js";
import { Problem, Server } from "./server.js";
import { SignIn } from "./signin.js";
import { EMPTY, tell } from "./story.js";
import { heard, speak, text } from "./texts.js";
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
  const first = String(people[0]?.fields["contact.full_name"]?.value ?? text("quick.theMail"));
  const name = people.length > 1 ? text("quick.andMore", { name: first, count: people.length - 1 }) : first;
  if (status === "saved") return { kind: "done", text: text("quick.saved", { name, count: records.length }) };
  if (status === "nothing_to_file") return { kind: "done", text: text("quick.nothing") };
  if (state === "review") return { kind: "error", text: text(duplicates.length ? "quick.duplicate" : "quick.missing") };
  return { kind: "error", text: heard(error?.message ?? "") || text("quick.failed") };
}

/** @param {{completed: () => void}} event */
async function quickSave(event) {
  speak(outlook.language);
  try {
    await outlook.notify(text("quick.reading"), "progress");
    const bearer = facts.bearer ?? (facts.entra ? await new SignIn(facts.entra, outlook).quietly() : null);
    const server = new Server({ bearer, apiKey: bearer ? null : keptIn(localStorage) });
    if (!server.bearer && !server.apiKey) throw new Problem(401, null);
    const { leftOut: _, ...email } = await outlook.readMail();
    const outcome = outcomeOf(await processWithWebSocket(server, await sendToBackend(server, email)));
    await outlook.notify(outcome.text, outcome.kind);
  } catch (error) {
    await outlook.notify(sentenceFor(error), "error");
  } finally {
    event.completed();
  }
}

/** @param {unknown} error */
function sentenceFor(error) {
  if (error instanceof Problem && error.status === 401) return text(facts.entra ? "quick.signIn" : "quick.noKey");
  return error instanceof Error ? error.message : text("quick.trouble");
}

office?.onReady(() => office.actions?.associate("quickSave", quickSave));
