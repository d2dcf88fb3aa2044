// Microsoft's own client at a server's hub, for streaming/tests/test_hub.py: `node hub_client.js URL KEY` reads a script of
// steps from standard input, one JSON array a line, and prints what came of each: ["ProcessEmail", …], ["await", "complete"],
// ["drop"] cuts the connection without a word, as a network does.

import { createInterface } from "node:readline";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";

const [url, key] = process.argv.slice(2);
const connection = new HubConnectionBuilder().withUrl(url, { headers: { "X-API-Key": key } })
  .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount }) => Math.min(previousRetryCount * 250, 2000) }).configureLogging(LogLevel.None).build();

/** @type {any[]} */
const events = [];
/** @type {(() => void)[]} */
let waiting = [];
const stir = () => waiting.splice(0).forEach((go) => go());
connection.on("event", (...envelopes) => {
  events.push(...envelopes);
  stir();
});
/** @type {string[]} */
const states = [];
connection.onreconnecting((error) => states.push(`reconnecting: ${error?.message}`));
connection.onreconnected(() => (states.push("reconnected"), stir()));
connection.onclose((error) => (states.push(`closed: ${error?.message}`), stir()));

/** @param {() => any} found */
async function until(found) {
  while (!found()) await new Promise((go) => waiting.push(() => go(undefined)));
}

/** @type {Record<string, (...given: any[]) => any>} */
const STEPS = {
  start: () => connection.start(),
  await: async (type, run) => until(() => events.some((event) => event.type === type && (!run || event.run_id === run))),
  reconnected: () => until(() => states.includes("reconnected")),
  closed: () => until(() => states.some((state) => state.startsWith("closed"))),
  drop: () => /** @type {any} */ (connection).connection.transport._webSocket.terminate(),
  events: () => events.filter(({ sequence }) => sequence),
  states: () => states,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [step, ...given] = JSON.parse(line);
  const work = STEPS[step] ?? ((...sent) => connection.invoke(step, ...sent));
  const outcome = await Promise.resolve().then(() => work(...given))
    .then((result) => ({ result: result ?? null }), (error) => ({ error: error.message }));
  console.log(JSON.stringify(outcome));
}
await connection.stop();
process.exit(0);
