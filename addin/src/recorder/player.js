// The time line and its controls: which moment is shown. Knows the recording, not what is made of a moment.

import { setText } from "../view/element.js";
import { laneOf, sentenceOf, since } from "./words.js";

/** @typedef {import("./recording.js").Recording} Recording */

const WIDTH = 1000;  // of a lane's view box
const AGAIN_MS = 250;  // a browser allows only so many changes of the address

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Player {
  /** Events told at the moment that is shown. */
  count = 0;
  #position = 0;
  #playing = false;
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #addressing;

  /** @param {Recording} recording @param {(count: number) => void} onMoment */
  constructor(recording, onMoment) {
    this.recording = recording;
    this.onMoment = onMoment;
    this.scrub = /** @type {HTMLInputElement} */ (byId("scrub"));
    this.speed = /** @type {HTMLSelectElement} */ (byId("speed"));
    this.scrub.addEventListener("input", () => this.#to(recording.countAt(Number(this.scrub.value)), Number(this.scrub.value)));
    byId("play").addEventListener("click", () => this.toggle());
    byId("previous").addEventListener("click", ({ shiftKey }) => this.step(-1, shiftKey));
    byId("next").addEventListener("click", ({ shiftKey }) => this.step(1, shiftKey));
    document.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("hashchange", () => this.#fromAddress());
  }

  /** The log has grown; who looks at its end goes on looking at its end. @param {boolean} follow */
  grown(follow) {
    this.scrub.max = String(Math.ceil(this.recording.length));
    this.#drawLanes();
    if (follow) this.#to(this.recording.end);
    else this.#show();
  }

  /** Begin where the address says, else at the end. */
  start() {
    if (!this.#fromAddress()) this.#to(this.recording.end);
  }

  /** @param {number} count */
  go(count) {
    this.#pause();
    this.#to(count);
  }

  /** @param {1 | -1} by @param {boolean} [wide] */
  step(by, wide = false) {
    this.go(this.recording.step(this.count, by, wide));
  }

  get isPlaying() {
    return this.#playing;
  }

  toggle() {
    if (this.#playing) return this.#pause();
    if (this.count === this.recording.end) this.#to(0);
    this.#playing = true;
    this.#show();
    let last = performance.now();
    const frame = (/** @type {number} */ now) => {
      const position = Math.min(this.#position + Math.max(0, now - last) * Number(this.speed.value), this.recording.length);
      last = now;
      this.#to(this.recording.countAt(position), position);
      if (position >= this.recording.length) this.#pause();
      else if (this.#playing) this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }

  #pause() {
    cancelAnimationFrame(this.#frame);
    this.#playing = false;
    this.#show();
  }

  #fromAddress() {
    const at = /^#at=(\d{1,9})$/.exec(location.hash)?.[1];
    if (at === undefined) return false;
    if (this.recording.countOf(Number(at)) !== this.count) this.go(this.recording.countOf(Number(at)));
    else this.#show();
    return true;
  }

  /** @param {number} count @param {number} [position] */
  #to(count, position = this.recording.places[count]) {
    this.#position = position;
    this.count = count;
    this.#show();
  }

  #show() {
    const { recording, count } = this;
    const envelope = recording.envelopes[count - 1];
    const said = envelope ? `${since(recording.msAt(count))} · ${sentenceOf(envelope)}` : "The mail is accepted";
    this.scrub.value = String(this.#position);
    this.scrub.setAttribute("aria-valuetext", `Event ${count} of ${recording.end}: ${said}`);
    byId("moment").setAttribute("aria-live", this.#playing ? "off" : "polite");
    setText(byId("moment"), `${count} of ${recording.end} · ${said}`);
    setText(byId("play"), this.#playing ? "Pause" : "Play");
    /** @type {HTMLButtonElement} */ (byId("previous")).disabled = count === 0;
    /** @type {HTMLButtonElement} */ (byId("next")).disabled = count === recording.end;
    const share = recording.length ? this.#position / recording.length : 0;
    for (const played of document.querySelectorAll(".lane rect")) played.setAttribute("width", String(share * WIDTH));
    this.#address();
    this.onMoment(count);
  }

  #drawLanes() {
    /** @type {Record<string, string>} */
    const lanes = {};
    const { envelopes, places, length } = this.recording;
    envelopes.forEach(({ type }, index) => {
      const lane = laneOf(type);
      lanes[lane] = `${lanes[lane] ?? ""}M${((places[index + 1] / (length || 1)) * WIDTH).toFixed(1)} 0v10`;
    });
    for (const path of document.querySelectorAll(".lane path")) path.setAttribute("d", lanes[path.getAttribute("data-lane") ?? ""] ?? "");
  }

  /** The address leads to the moment, for whoever it is sent to. */
  #address() {
    if (this.#addressing || this.#playing) return;
    this.#addressing = setTimeout(() => {
      this.#addressing = undefined;
      if (!this.#playing) history.replaceState(null, "", `#at=${this.recording.stories[this.count].sequence}`);
    }, AGAIN_MS);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    const onScrub = target === this.scrub;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest("input:not(#scrub), select, textarea")) return;
    if (event.key === " " && target.closest("button, a, summary")) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => this.toggle(),
      ArrowRight: () => this.step(1, event.shiftKey), ArrowLeft: () => this.step(-1, event.shiftKey),
      "+": () => this.#faster(1), "-": () => this.#faster(-1),
      ...(onScrub ? { ArrowUp: () => this.step(1), ArrowDown: () => this.step(-1), PageUp: () => this.step(1, true), PageDown: () => this.step(-1, true) } : {}),
      ...(onScrub || target === document.body ? { Home: () => this.go(0), End: () => this.go(this.recording.end) } : {}),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** @param {1 | -1} by */
  #faster(by) {
    const to = this.speed.selectedIndex + by;
    if (to >= 0 && to < this.speed.length) this.speed.selectedIndex = to;
  }
}
