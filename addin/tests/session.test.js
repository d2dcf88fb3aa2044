import assert from "node:assert/strict";
import { test } from "node:test";

import { edited } from "../src/corrections.js";
import { Problem, Server } from "../src/server.js";
import { Session } from "../src/session.js";

/** A server of which only the answers to saves matter. @param {number[]} statuses */
function saving(...statuses) {
  /** @type {any[]} */
  const asked = [];
  const answer = async (/** @type {string} */ _url, /** @type {any} */ { body }) => {
    asked.push(JSON.parse(body).corrections);
    const status = statuses.shift() ?? 202;
    return Response.json(status === 409 ? { detail: "Held already.", code: "duplicate_found" } : { state: "saving" }, { status });
  };
  return { asked, session: new Session(new Server({ fetch: /** @type {any} */ (answer) }), () => {}) };
}

test("a save sends only what the user edited", async () => {
  const { asked, session } = saving();
  session.edits = edited(session.edits, "0.contact.city", "Salem");

  await session.save([]);

  assert.deepEqual(asked, [{ people: [{ index: 0, skip: false, contact: { city: "Salem" } }] }]);
  assert.equal(session.saving, true);
});

test("after a duplicate was refused, the next save is meant", async () => {
  const { asked, session } = saving(409);

  await assert.rejects(session.save([]), (error) => error instanceof Problem && error.message === "Held already.");
  assert.deepEqual([session.saving, session.duplicate], [false, true]);
  await session.save([]);

  assert.deepEqual(asked.map((corrections) => corrections.allow_duplicate), [undefined, true]);
});

test("a server that is just restarting costs the user no second click", async () => {
  const { asked, session } = saving(503, 202);

  await session.save([]);

  assert.equal(asked.length, 2);
});

/** A server that tells a run of three events; the attachment's text is there from the second look at the mail on. @param {boolean} attached */
function telling(attached) {
  let looks = 0;
  const answer = async (/** @type {string} */ url) => {
    if (!url.endsWith("/mail")) return Response.json({ url: "ws://server.example/ws", mode: "websocket", accessToken: "t" });
    const read = attached && looks++ ? { "attachment:cv.pdf": "Jane Roe" } : {};
    return Response.json({ sources: { body: "See attached.", ...read }, attachments: attached ? [{ filename: "cv.pdf", is_inline: false }] : [] });
  };
  class Socket extends EventTarget {
    readyState = 1;
    send() {}
    close() {}
    constructor() {
      super();
      ["extraction_start", "validation_start", "complete"].forEach((type, index) => setTimeout(() => {
        const data = JSON.stringify({ type, run_id: "r", sequence: index + 1, cursor: `1.${index + 1}`, timestamp: 1, data: {} });
        this.dispatchEvent(new MessageEvent("message", { data }));
      }, 1));
    }
  }
  return new Server({ fetch: /** @type {any} */ (answer), WebSocket: /** @type {any} */ (Socket) });
}

for (const [attached, expected] of /** @type {[boolean, object[]][]} */ ([
  [true, [{ body: "See attached." }, { body: "See attached.", "attachment:cv.pdf": "Jane Roe" }]],
  [false, [{ body: "See attached." }]],
]))
  test(`the mail is read ${attached ? "again when its attachments have been read" : "once when nothing is attached"}`, async () => {
    const shown = new Set();
    const session = new Session(telling(attached), () => session.sources && shown.add(session.sources));

    await session.follow("r", null);
    await new Promise((resolve) => setTimeout(resolve, 50));

    assert.deepEqual([...shown], expected);
  });

test("a refusal becomes a sentence that names the fields at fault", () => {
  const document = { title: "Unprocessable", detail: "Some fields are at fault.", errors: [{ field: "subject", message: "is too long" }, "and more"] };

  assert.equal(new Problem(422, document).message, "Some fields are at fault. subject: is too long and more");
  assert.equal(new Problem(502, null).message, "The server answered with 502.");
});

test("what research found too late is offered after the save, and added when the user says so", async () => {
  /** @type {any[]} */
  const posted = [];
  const told = [
    { type: "research_result", data: { status: "timeout", elapsed: 5, result: null } },
    { type: "complete", data: { status: "saved", records: [] } },
  ].map((event, number) => ({ ...event, run_id: "r", sequence: number + 1, timestamp: 0 }));
  const again = { type: "complete", run_id: "r", sequence: 3, timestamp: 0, data: { status: "saved", records: [] } };
  const answer = async (/** @type {string} */ url, /** @type {any} */ { body }) => {
    if (url.endsWith("/followup") && body) return posted.push(JSON.parse(body)), Response.json({ state: "saving" }, { status: 202 });
    if (url.endsWith("/followup")) return Response.json({ company: posted.length ? {} : { website: "acme.example" } });
    if (url.endsWith("/mail")) return Response.json({ sources: { body: "" }, attachments: [] });
    if (url.includes("/events")) return Response.json({ events: posted.length ? [again] : told, cursor: `1.${posted.length ? 3 : 2}`, state: "complete", closed: true });
    return Response.json({ mode: "polling" });
  };
  const session = new Session(new Server({ fetch: /** @type {any} */ (answer), WebSocket: undefined }), () => {});

  await session.follow("r", "1.0");
  assert.deepEqual(session.offer, { website: "acme.example" });
  await session.followUp();

  assert.deepEqual(posted, [{ company: { website: "acme.example" } }]);
  assert.deepEqual(session.offer, {});
});
