import assert from "node:assert/strict";
import { test } from "node:test";

import { Problem, Server } from "../src/server.js";
import { closes, follow } from "../src/transport/follow.js";
import { openAhead } from "../src/transport/socket.js";

/** @typedef {import("../src/story.js").Envelope} Envelope */

/** @param {number} sequence @param {string} [type] @param {any} [data] @returns {Envelope} */
const event = (sequence, type = "extraction_token", data = { token: "x" }) =>
  ({ type, run_id: "r1", sequence, cursor: `1.${sequence}`, timestamp: 0, data });

const LOG = [event(1), event(2), event(3), event(4, "review_ready", {}), event(5, "zoho_start", {}), event(6, "complete", {})];
const HELLO = { type: "connection_established", sequence: 0, data: {} };

/** A server that holds LOG up to `length`; each way in can be taken away, or cut after some events. */
class World {
  length = 4;
  away = 0;
  /** @type {Set<string>} */
  blocked = new Set();
  /** @type {Record<string, number[]>} events after which a connection is cut, one entry a connection */
  cuts = {};
  /** @type {string[]} */
  asked = [];
  /** @type {(string | null)[]} */
  rungs = [];
  /** @type {any[]} */
  sent = [];
  refusal = 0;

  server() {
    const world = this;
    return new Server({
      base: "http://server.example", bearer: "b",
      fetch: /** @type {any} */ ((/** @type {string} */ url, /** @type {any} */ init) => this.#answer(new URL(url), init)),
      WebSocket: /** @type {any} */ (class extends FakeSocket { world = world; }),
    });
  }

  /** @param {string} way @param {string | null | undefined} after */
  after(way, after) {
    const from = Number(after?.split(".")[1] ?? 0);
    const cut = this.cuts[way]?.shift();
    return LOG.slice(from, Math.min(this.length, cut === undefined ? LOG.length : from + cut));
  }

  /** @param {URL} url @param {any} init */
  async #answer(url, { headers, signal }) {
    const way = url.pathname.endsWith("negotiate") ? "negotiate" : { "text/event-stream": "sse", "application/x-ndjson": "ndjson" }[/** @type {string} */ (headers.Accept)] ?? (url.searchParams.has("wait") ? "polling" : "page");
    this.asked.push(way);
    assert.equal(headers.Authorization, "Bearer b");
    if (this.away > 0 && this.away--) throw new TypeError("fetch failed");
    if (this.refusal && way !== "negotiate") return new Response(JSON.stringify({ detail: "No such run." }), { status: this.refusal });
    if (this.blocked.has(way)) return new Response("", { status: 502 });
    if (way === "negotiate") return Response.json({ url: "ws://server.example/ws", mode: "websocket", accessToken: "t", bearer: "b" });
    const after = url.searchParams.get("after");
    const events = this.after(way, after);
    if (way === "page" || way === "polling") return Response.json({ events, cursor: events.at(-1)?.cursor ?? after, closed: this.length === LOG.length && this.#isEnd(events, after) });
    const lines = [HELLO, ...events].map((told) => (way === "sse" ? `data: ${JSON.stringify(told)}\n\n` : `${JSON.stringify(told)}\n`));
    signal.throwIfAborted();
    return new Response(lines.join(""));
  }

  /** @param {Envelope[]} events @param {string | null} after */
  #isEnd = (events, after) => Number((events.at(-1)?.cursor ?? after)?.split(".")[1]) === LOG.length;
}

class FakeSocket extends EventTarget {
  /** @type {World} */
  world = new World();
  readyState = 0;

  /** @param {string} url @param {string[]} protocols */
  constructor(url, protocols) {
    super();
    assert.deepEqual([url, protocols], ["ws://server.example/ws", ["wellintake.v1", "ticket.t"]]);
    setTimeout(() => {
      if (this.world.blocked.has("websocket")) return this.#end();
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    });
  }

  /** @param {string} text */
  send(text) {
    const frame = JSON.parse(text);
    this.world.sent.push(frame);
    if (frame.type !== "subscribe") return;
    this.world.asked.push("websocket");
    const cuts = this.world.cuts.websocket?.length;
    for (const told of [HELLO, ...this.world.after("websocket", frame.after)]) this.#tell(told);
    if (cuts) this.#end();
  }

  /** @param {object} told */
  #tell(told) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(told) }));
  }

  #end() {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }

  close() {
    this.readyState = 3;
  }
}

/** @param {World} world @param {import("../src/transport/follow.js").Options} [options] @param {string | null} [cursor] */
async function followed(world, options = {}, cursor = null, server = world.server()) {
  /** @type {number[]} */
  const told = [];
  const given = { pause: async () => {}, patience: { connect: 200, silence: 200 }, onRung: (/** @type {string | null} */ rung) => void world.rungs.push(rung), ...options };
  for await (const { sequence } of follow(server, "r1", cursor, given)) told.push(sequence);
  return told;
}

test("a socket that opens tells the run until it settles", async () => {
  const world = new World();

  assert.deepEqual(await followed(world), [1, 2, 3, 4]);
  assert.deepEqual(world.rungs, ["websocket"]);
  assert.deepEqual(world.sent[0], { type: "subscribe", run_id: "r1", after: null, acks: true });
});

test("a socket that was opened ahead is the one that tells the run; what is refused ahead is asked for anew", async () => {
  const world = new World();
  const server = world.server();
  let opened = 0;
  const ahead = (/** @type {import("../src/server.js").Terms} */ terms) => void (openAhead(server, terms), opened++);
  world.away = 1;
  server.prepare(ahead);
  await new Promise((resolve) => setTimeout(resolve));
  server.prepare(ahead);
  server.prepare(ahead);
  await new Promise((resolve) => setTimeout(resolve, 5));

  assert.deepEqual(await followed(world, {}, null, server), [1, 2, 3, 4]);
  assert.deepEqual([opened, world.asked], [1, ["negotiate", "negotiate", "websocket"]]);
});

for (const [blocked, rung] of /** @type {[string[], string][]} */ ([[["websocket"], "sse"], [["websocket", "sse"], "ndjson"], [["websocket", "sse", "ndjson"], "polling"]]))
  test(`without ${blocked.join(", ")} the run comes by ${rung}`, async () => {
    const world = new World();
    world.blocked = new Set(blocked);

    assert.deepEqual(await followed(world), [1, 2, 3, 4]);
    assert.equal(world.rungs.at(-1), rung);
  });

for (const way of ["websocket", "sse", "ndjson", "polling"])
  test(`a cut ${way} goes on from the cursor, each event once`, async () => {
    const world = new World();
    world.cuts = { [way]: [1, 1] };
    world.blocked = new Set(["websocket", "sse", "ndjson", "polling"].slice(0, ["websocket", "sse", "ndjson", "polling"].indexOf(way)));

    assert.deepEqual(await followed(world), [1, 2, 3, 4]);
  });

test("a server that is away is waited for, and found again on the same rung", async () => {
  const world = new World();
  world.cuts = { websocket: [2] };
  const pauses = /** @type {number[]} */ ([]);
  const run = followed(world, { pause: async (ms) => void (pauses.push(ms) === 1 && (world.away = 3)) });

  assert.deepEqual(await run, [1, 2, 3, 4]);
  assert.ok(pauses.length >= 4 && pauses.every((ms) => ms > 0 && ms <= 5000));
  assert.ok(world.rungs.includes(null));
  assert.ok(!world.asked.includes("sse"));
});

test("a silent socket is given up", async () => {
  const world = new World();
  world.length = 2;
  const run = followed(world, { patience: { connect: 20, silence: 20 }, pause: async () => void (world.length = 4) });

  assert.deepEqual(await run, [1, 2, 3, 4]);
});

test("a gap is filled from the page before anything later is told", async () => {
  const world = new World();
  const rung = /** @type {const} */ (["leaky", async function* () { yield event(1); yield event(4, "review_ready", {}); }]);

  assert.deepEqual(await followed(world, { rungs: [rung] }), [1, 2, 3, 4]);
  assert.deepEqual(world.asked, ["negotiate", "page"]);
});

test("what comes twice is told once", async () => {
  const rung = /** @type {const} */ (["stutter", async function* () { for (const told of [1, 1, 2, 1, 2, 3, 3]) yield event(told); yield LOG[3]; }]);

  assert.deepEqual(await followed(new World(), { rungs: [rung] }), [1, 2, 3, 4]);
});

test("a reset is told whatever its number, and the log goes on from there", async () => {
  const rung = /** @type {const} */ (["reset", async function* () { yield event(9, "reset", {}); yield event(9); yield event(10, "review_ready", {}); }]);

  assert.deepEqual(await followed(new World(), { rungs: [rung] }), [9, 10]);
});

test("who wants the log to its end gets it past the review", async () => {
  for (const blocked of [[], ["websocket"], ["websocket", "sse"]]) {
    const world = new World();
    world.length = 6;
    world.blocked = new Set(blocked);

    assert.deepEqual(await followed(world, { until: closes }), [1, 2, 3, 4, 5, 6]);
  }
});

test("a closed log that holds nothing new ends at once", async () => {
  const world = new World();
  world.length = 6;

  assert.deepEqual(await followed(world, {}, "1.6"), []);
});

test("a run that is not ours is not asked for twice", async () => {
  const world = new World();
  world.refusal = 404;
  world.blocked = new Set(["websocket"]);

  await assert.rejects(followed(world), (error) => error instanceof Problem && error.message === "No such run.");
});

test("who has seen enough stops, and the socket is closed", async () => {
  const world = new World();
  const stop = new AbortController();
  const seen = [];

  for await (const { sequence } of follow(world.server(), "r1", null, { signal: stop.signal, until: closes })) {
    seen.push(sequence);
    if (sequence === 4) stop.abort();
  }

  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test("many events are acknowledged on the way", async () => {
  const world = new World();
  world.length = 6;
  const server = world.server();
  const long = Array.from({ length: 120 }, (_, index) => event(index + 1));
  world.after = () => [...long, event(121, "review_ready", {})];

  for await (const _ of follow(server, "r1", null, {}));

  assert.deepEqual(world.sent.filter(({ type }) => type === "ack").map(({ sequence }) => sequence), [50, 100]);
});
