// One run on its way through the page: hand in, follow, save. Knows the server and the story, not the DOM.

import { correctionsFrom, UNEDITED } from "./corrections.js";
import { ASKING, secondFrom } from "./second.js";
import { Problem } from "./server.js";
import { EMPTY, isClosed, tell } from "./story.js";
import { closes, follow, settles } from "./transport/follow.js";
import { openAhead } from "./transport/socket.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {{firstField?: number, total?: number}} Clock  ms since the mail was handed in, measured here */

export class Session {
  story = EMPTY;
  edits = UNEDITED;
  /** @type {string | null} */
  rung = null;
  /** @type {Clock} */
  clock = {};
  /** @type {Record<string, string> | null} canonical text of the mail */
  sources = null;
  starting = false;
  saving = false;
  /** Has the server refused a save because the CRM holds the same deal? Then the next one is meant. */
  duplicate = false;
  /** What the firm's page says that is not in the CRM yet. @type {Record<string, string>} */
  offer = {};
  /** What the model says when it is asked once more. @type {import("./second.js").Second | null} */
  second = null;
  /** What of the mail was not handed in, and why. @type {readonly string[]} */
  leftOut = [];
  /** When this mail was handed in before: who saved it. @type {{by: string} | null} */
  savedBefore = null;
  #isReplay = false;
  /** Was there a connection, and is there none now? */
  reconnecting = false;
  #abort = new AbortController();
  #began = 0;
  /** @type {string | null} */
  #epoch = null;
  #readingMail = false;
  /** May the server know more of the mail by now, the text of its attachments? */
  #mailGrew = false;
  #hasFiles = false;

  /** @param {Server} server @param {() => void} onChange @param {{readsMail?: boolean}} [options]  is the mail's text wanted, too? */
  constructor(server, onChange, { readsMail = true } = {}) {
    this.server = server;
    this.onChange = onChange;
    this.#readingMail = !readsMail;
  }

  /** Make the way to the server while the mail is still being read. */
  prepare() {
    this.server.prepare((terms) => openAhead(this.server, terms));
  }

  /** @param {object} email @returns {Promise<{runId: string, cursor: string}>} */
  async start(email) {
    this.starting = true;
    this.#began = performance.now();
    this.onChange();
    try {
      this.prepare();
      const { run_id: runId, cursor, isReplay } = await this.server.startRun(email);
      this.#isReplay = isReplay;
      return { runId, cursor };
    } finally {
      this.starting = false;
    }
  }

  /** Read the run's log until nothing more can come. @param {string} runId @param {string | null} cursor
   * @param {import("./story.js").Story} [known]  what was told up to the cursor */
  async follow(runId, cursor, known) {
    this.story = known ?? { ...EMPTY, runId, state: "queued", sequence: Number(cursor?.split(".")[1] ?? 0) };
    this.#epoch = cursor?.split(".")[0] ?? null;
    this.onChange();
    void this.#readMail(runId);
    await this.#read(cursor);
  }

  /** @param {string | null} cursor */
  async #read(cursor) {
    const runId = this.#runId;
    const events = follow(this.server, runId, cursor, { signal: this.#abort.signal, onRung: this.#onRung, until: closes });
    for await (const envelope of events) {
      this.story = tell(this.story, envelope);
      this.#measure(envelope.type);
      if (this.story.state !== "review") this.saving = false;
      this.#mailGrew ||= this.#tellsOfMore(envelope);
      if (!this.sources || (this.#mailGrew && this.#hasFiles)) void this.#readMail(runId);
      this.onChange();
    }
    await this.#askForMore();
    await this.#askWhoSaved();
  }

  #onRung = (/** @type {string | null} */ rung) => {
    this.rung = rung ?? this.rung;
    this.reconnecting = rung === null && !isClosed(this.story);
    this.onChange();
  };

  /** @param {string} type */
  #measure(type) {
    if (!this.#began) return;
    const ms = performance.now() - this.#began;
    if (type === "extraction_field") this.clock.firstField ??= ms;
    if (["review_ready", "complete"].includes(type)) this.clock.total ??= ms;
  }

  /** Attachments are read behind the body, and before validation. @param {import("./story.js").Envelope} envelope */
  #tellsOfMore({ type, data }) {
    return type === "validation_start" || Boolean(data.evidence && this.sources && !(data.evidence.source in this.sources));
  }

  /** The mail is readable once the server has cut it into parts; until then it is asked for again. @param {string} runId */
  async #readMail(runId) {
    if (this.#readingMail) return;
    this.#readingMail = true;
    try {
      do {
        this.#mailGrew = false;
        const { sources, attachments } = await this.server.mail(runId);
        this.sources = sources;
        this.#hasFiles = attachments.some((file) => !file.is_inline);
        this.onChange();
      } while (this.#mailGrew && this.#hasFiles);
    } catch {
      this.#mailGrew = true;
      await new Promise((resolve) => setTimeout(resolve, 250));  // the next event asks again; the fields do not depend on it
    } finally {
      this.#readingMail = false;
    }
  }

  /** @param {readonly string[]} attachments  all that the draft would store */
  async save(attachments) {
    this.saving = true;
    this.onChange();
    const edits = this.duplicate ? { ...this.edits, allowDuplicate: true } : this.edits;
    try {
      await this.server.save(this.#runId, correctionsFrom(edits, attachments));
    } catch (error) {
      this.saving = false;
      this.duplicate = error instanceof Problem && error.code === "duplicate_found";
      this.onChange();
      throw error;
    }
  }

  /** Research that had no answer when the mail was saved may have one by now. */
  async #askForMore() {
    if (this.story.status !== "saved" || !["timeout", "failed"].includes(this.story.research?.status ?? "")) return;
    this.offer = await this.server.offered(this.#runId).then(({ company }) => company, () => ({}));
    this.onChange();
  }

  /** A mail that was saved before says so, and by whom. */
  async #askWhoSaved() {
    if (!this.#isReplay || this.story.status !== "saved") return;
    this.#isReplay = false;
    this.savedBefore = await this.server.snapshot(this.#runId).then(({ saved_by: by }) => ({ by }), () => null);
    this.onChange();
  }

  /** Add what was offered. */
  async followUp() {
    await this.server.followUp(this.#runId, this.offer);
    this.offer = {};
    await this.#read(this.#cursor);
  }

  /** Take the save back; the log that was closed is open again. */
  async undo() {
    await this.server.undo(this.#runId);
    this.duplicate = false;
    this.savedBefore = null;
    this.offer = {};
    await this.#read(this.#cursor);
  }

  /** Ask the model once more: what it says is offered, never put in unasked. */
  async askAgain() {
    this.second = ASKING;
    this.onChange();
    try {
      const { run_id: runId, cursor } = await this.server.rerun(this.#runId);
      let story = EMPTY;
      for await (const envelope of follow(this.server, runId, cursor, { signal: this.#abort.signal, until: settles })) story = tell(story, envelope);
      this.second = secondFrom(this.story, story);
    } catch (error) {
      this.second = null;
      throw error;
    } finally {
      this.onChange();
    }
  }

  get #cursor() {
    return this.#epoch && `${this.#epoch}.${this.story.sequence}`;
  }

  cancel = () => this.server.cancel(this.#runId);
  retry = () => this.server.retry(this.#runId);

  /** Stop watching. The run itself goes on. */
  leave() {
    this.onChange = () => {};
    this.#abort.abort();
  }

  get #runId() {
    return this.story.runId ?? "";
  }
}
