// What every page does with a run: hand a mail in, follow, draw, correct, save; and say what the server refused.
// A page adds its ways in, and where it remembers a run until it is opened again.

import { edited, having, UNEDITED } from "./corrections.js";
import { Problem } from "./server.js";
import { Session } from "./session.js";
import { View } from "./view.js";
import { filesOf } from "./view/notices.js";
import { text } from "./texts.js";
import { statusOf, timingsLine } from "./words.js";

/**
 * @typedef {import("./server.js").Server} Server
 * @typedef {{runId: string, cursor: string, edits?: import("./corrections.js").Edits, story?: import("./story.js").Story}} Kept
 * @typedef {{recall: () => Kept | null, keep: (part: Partial<Kept>) => void, forget: () => void}} Memory  of one run
 * @typedef {{memory: Memory, isPresent?: () => boolean}} Place  `isPresent`: is the mail of this run still before the user?
 */

const KEEP_MS = 200;

/** With the next frame. A tab in the background draws none, but its title and its live region should not stand still.
 * @param {() => void} now */
const soon = (now) => (document.hidden ? setTimeout(now, 200) : requestAnimationFrame(now));

/** @type {Memory} */
const NO_MEMORY = { recall: () => null, keep: () => {}, forget: () => {} };

export class Desk {
  /** @type {Session} */
  session;
  /** @type {Place} */
  #place = { memory: NO_MEMORY };
  #due = false;
  /** @type {import("./story.js").Story | null} what the place does not know yet */
  #unkept = null;
  /** @type {Record<string, string> | null} */
  #drawnSources = null;

  /**
   * @param {Server} server
   * @param {{result: HTMLElement, start: HTMLElement, problem: HTMLElement}} parts  of the page
   * @param {{key: import("./key.js").KeyForm, onAway?: () => void, again?: {text: string, act: () => void}, showsMail?: boolean}} page
   *   `onAway`: another mail is before the user than the one of this run; `again`: the button behind a finished run;
   *   `showsMail`: does the mail's text stand on the page?
   */
  constructor(server, parts, { key, onAway = () => {}, again, showsMail = true }) {
    this.showsMail = showsMail;
    addEventListener("pagehide", () => this.#keepNow());
    this.server = server;
    this.parts = parts;
    this.key = key;
    this.onAway = onAway;
    this.session = new Session(server, () => {});
    this.view = new View(parts.result, {
      onEdit: (at, value) => this.#change(edited(this.session.edits, at, value)),
      onSkip: (person, skip) => this.#change({ ...this.session.edits, skipped: having(this.session.edits.skipped, person, skip) }),
      onWithout: (file, without) => this.#change({ ...this.session.edits, without: having(this.session.edits.without, file, without) }),
      onAllow: (allowDuplicate) => this.#change({ ...this.session.edits, allowDuplicate }),
      onSave: () => this.save(),
      onUndo: () => this.attempt(() => this.session.undo()),
      onFollowUp: () => this.attempt(() => this.session.followUp()),
      onCancel: () => this.attempt(() => this.session.cancel()),
      onAskAgain: () => this.attempt(() => this.session.askAgain()),
      onRetry: () => this.attempt(() => this.session.retry()),
      onNew: () => (again ? again.act() : this.leave()),
    }, again?.text);
  }

  /** Hand a mail in and follow it. @param {Place} place @param {() => Promise<object> | object} read  the e-mail of contract §3 */
  async begin(place, read) {
    if (this.key.isMissing) return this.key.ask();
    const reading = new Promise((resolve) => resolve(read()));  // Outlook takes its time; the page is drawn meanwhile
    const mine = this.#show(place);
    mine.prepare();
    await this.attempt(async () => {
      const { leftOut, ...email } = /** @type {any} */ (await reading);
      if (mine !== this.session) return;
      mine.leftOut = leftOut ?? [];
      const run = await mine.start(email);
      if (mine !== this.session) return;
      place.memory.keep(run);
      await mine.follow(run.runId, run.cursor);
    }, () => mine === this.session && this.leave());
  }

  /** Go on with a run that the place remembers; whether there is one. @param {Place} place */
  resume(place) {
    const kept = place.memory.recall();
    if (!kept || this.key.isMissing) return false;
    const mine = this.#show(place);
    mine.edits = kept.edits ?? UNEDITED;
    void this.attempt(() => mine.follow(kept.runId, kept.story?.cursor ?? kept.cursor, kept.story), () => mine === this.session && this.leave());
    return true;
  }

  /** Stop showing the run and forget it. */
  leave() {
    this.#unkept = null;
    this.#place.memory.forget();
    this.rest();
  }

  /** Stop showing the run; it goes on at the server, and in the place's memory. */
  rest() {
    this.#keepNow();
    this.session.leave();
    this.#place = { memory: NO_MEMORY };
    this.parts.result.hidden = true;
    this.parts.start.hidden = false;
    /** @type {HTMLElement | null} */ (this.parts.start.querySelector("[tabindex]"))?.focus();
  }

  async save() {
    if (this.view.save.hidden || this.view.save.disabled) return;
    if (this.#place.isPresent && !this.#place.isPresent()) return this.onAway();
    await this.attempt(() => this.session.save(filesOf(this.session.story)));
  }

  /** Do something that may be refused, and say so in words. @param {() => unknown} work @param {() => void} [otherwise] */
  async attempt(work, otherwise) {
    this.say("");
    const mine = this.session;
    try {
      await work();
    } catch (error) {
      if (mine !== this.session) return;
      otherwise?.();
      if (error instanceof Problem && error.status === 401) return this.#refused();
      if (mine.duplicate) return this.say(text("duplicates.refused"));
      this.say(error instanceof Error ? error.message : String(error));
      if (!(error instanceof Problem) && !(/** @type {any} */ (error)?.isExpected)) console.error(error);
    }
  }

  #refused() {
    const sentence = this.key.refuse();
    if (sentence) this.say(sentence);
  }

  /** @param {string} sentence  "" for silence */
  say(sentence) {
    this.parts.problem.textContent = sentence;
    this.parts.problem.hidden = !sentence;
  }

  /** @param {Place} place */
  #show(place) {
    this.#keepNow();
    this.session.leave();
    this.session = new Session(this.server, () => this.draw(), { readsMail: this.showsMail });
    this.#place = place;
    this.#drawnSources = null;
    this.view.clear();
    this.say("");
    this.#render();  // before it is shown: some forty fields are styled and laid out once, not twice
    this.parts.start.hidden = true;
    this.parts.result.hidden = false;
    // With the frame that shows it: focus and scrolling want the layout at once, and the mail would wait for that.
    soon(() => {
      this.view.status.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    });
    return this.session;
  }

  /** @param {import("./corrections.js").Edits} edits */
  #change(edits) {
    this.session.edits = edits;
    this.#place.memory.keep({ edits });
    this.draw();
  }

  /** At most once a frame. */
  draw() {
    if (this.#due) return;
    this.#due = true;
    soon(() => {
      this.#due = false;
      this.#render();
    });
  }

  #render() {
    const { session, view } = this;
    if (session.sources && session.sources !== this.#drawnSources) view.mail.show((this.#drawnSources = session.sources));
    const { story, edits, rung, clock, offer, leftOut, second } = session;
    view.render({ story, edits, rung, offer, leftOut, second, status: statusOf(story, session), timings: timingsLine(clock, story.timings),
      saveAs: text(session.duplicate ? "save.duplicate" : "save") });
    if (story.runId) this.#keepSoon(story);
  }

  /** Writing a story down takes as long as drawing it, and is in nobody's way a little later. @param {import("./story.js").Story} story */
  #keepSoon(story) {
    if (!this.#unkept) setTimeout(() => this.#keepNow(), KEEP_MS);
    this.#unkept = story;
  }

  #keepNow() {
    if (this.#unkept) this.#place.memory.keep({ story: this.#unkept });
    this.#unkept = null;
  }
}
