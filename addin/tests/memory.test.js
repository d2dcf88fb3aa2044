import assert from "node:assert/strict";
import { test } from "node:test";

import { MailMemory } from "../src/memory.js";
import { EMPTY } from "../src/story.js";

/** As the browser's: entries are properties. */
class Store {
  /** @type {any} */ get own() { return this; }
  getItem(/** @type {string} */ name) { return this.own[name] ?? null; }
  setItem(/** @type {string} */ name, /** @type {string} */ text) { this.own[name] = text; }
  removeItem(/** @type {string} */ name) { delete this.own[name]; }
}
/** @returns {any} */
const storage = () => new Store();
const RUN = { runId: "r1", cursor: "1.0" };

test("a mail's run, edits and story are there again, for the same user only", () => {
  const store = storage();
  const mail = new MailMemory(store, "dana@well.example").of("mail-1");
  mail.keep(RUN);
  mail.keep({ story: { ...EMPTY, runId: "r1", sequence: 7, cursor: "1.7", tokens: "a long answer" } });

  const again = new MailMemory(store, "dana@well.example").of("mail-1").recall();
  assert.equal(again?.runId, "r1");
  assert.equal(again?.story?.sequence, 7);
  assert.equal(again?.story?.tokens, "");
  assert.equal(new MailMemory(store, "eve@well.example").of("mail-1").recall(), null);
  assert.equal(new MailMemory(store, "dana@well.example").of("mail-2").recall(), null);
});

test("it forgets after twelve hours, and all but the newest twenty", () => {
  const store = storage();
  let now = 0;
  const memory = new MailMemory(store, "dana@well.example", () => now);
  for (let number = 0; number < 25; number++) {
    now += 1000;
    memory.of(`mail-${number}`).keep(RUN);
  }
  assert.equal(memory.of("mail-0").recall(), null);
  assert.equal(memory.of("mail-24").recall()?.runId, "r1");
  assert.equal(Object.keys(store).length, 20);

  now += 12 * 3600_000;
  assert.equal(memory.of("mail-24").recall(), null);
  memory.of("mail-25").keep(RUN);
  assert.equal(Object.keys(store).length, 1);
});

test("a storage that is full, broken or forbidden remembers nothing and breaks nothing", () => {
  const full = storage();
  full.setItem = () => { throw new Error("QuotaExceededError"); };
  const mail = new MailMemory(full, "dana@well.example").of("mail-1");
  mail.keep(RUN);
  assert.equal(mail.recall(), null);

  const broken = storage();
  const kept = new MailMemory(broken, "dana@well.example").of("mail-1");
  kept.keep(RUN);
  broken[Object.keys(broken)[0]] = "{";
  assert.equal(kept.recall(), null);
});
