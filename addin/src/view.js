// The result of a run on the page: the mail, the people with their fields, what to know, what to do.
// Only this file and view/ touch its DOM; they know nothing of servers.

import { shown } from "./fields.js";
import { text } from "./texts.js";
import { rungWord, sureWord, whyNothing } from "./words.js";
import { element, setText } from "./view/element.js";
import { MailPane, marksOf } from "./view/mail.js";
import { Notices } from "./view/notices.js";
import { PersonView } from "./view/person.js";

/**
 * @typedef {import("./story.js").Story} Story
 * @typedef {import("./corrections.js").Edits} Edits
 * @typedef {{story: Story, edits: Edits, status: {state: string, text: string}, rung: string | null, timings: string, saveAs: string, offer: Record<string, string>, leftOut: readonly string[],
 *   second: import("./second.js").Second | null}} Shown
 * @typedef {{onEdit: (key: string, text: string | null) => void, onSkip: (person: number, skip: boolean) => void,
 *   onWithout: (file: string, without: boolean) => void, onAllow: (allow: boolean) => void,
 *   onSave: () => void, onUndo: () => void, onFollowUp: () => void, onAskAgain: () => void, onCancel: () => void, onRetry: () => void, onNew: () => void}} Handlers
 */

const ANNOUNCE_MS = 900;

export class View {
  /** @type {PersonView[]} */
  #people = [];
  /** @type {Map<string, string>} */
  #unsaid = new Map();
  /** @type {Map<string, string>} */
  #said = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #saying;

  /** @param {HTMLElement} root @param {Handlers} handlers @param {string} [again]  the words on the button that leaves a run */
  constructor(root, handlers, again = text("again")) {
    this.handlers = handlers;
    this.mail = new MailPane((key) => this.#focus(key));
    this.notices = new Notices({ ...handlers, onFocus: (person, field) => this.#focus(`${person}.${field}`) });
    const button = (/** @type {string} */ name, /** @type {string} */ words, /** @type {EventListener} */ onclick) =>
      element("button", { type: "button", class: name, "data-testid": name, text: words, onclick });
    this.save = button("save", "", () => handlers.onSave());
    this.cancel = button("cancel", text("cancel"), () => handlers.onCancel());
    this.retry = button("retry", text("retry"), () => handlers.onRetry());
    this.undo = button("undo", text("undo"), () => handlers.onUndo());
    this.again = button("new", again, () => handlers.onNew());
    this.status = element("p", { class: "status", role: "status", "data-testid": "status", "data-state": "idle", tabindex: -1 });
    this.rung = element("span", { class: "rung", "data-testid": "rung" });
    this.timings = element("span", { class: "timings", "data-testid": "timings" });
    this.live = element("p", { class: "unseen", "aria-live": "polite" });
    this.people = element("div", { class: "people" });
    this.nothing = element("section", { class: "nothing", "data-testid": "nothing", hidden: true });
    this.tokens = element("pre", { tabindex: 0, "aria-label": text("model.label") });
    this.count = element("small");
    this.model = element("details", { class: "model", "data-testid": "model" }, element("summary", {}, `${text("model.says")} `, this.count), this.tokens);
    root.append(
      element("div", { class: "run-bar" },
        element("div", { class: "run-state" }, this.status, element("p", { class: "facts" }, this.rung, this.timings)),
        element("div", { class: "actions" }, this.undo, this.again, this.cancel, this.retry, this.save)),
      element("div", { class: "panes" },
        element("div", { class: "beside" }, this.mail.root, this.notices.root),
        element("div", { class: "found" }, this.nothing, this.people, this.model)),
      this.live);
  }

  /** A new run: empty fields, no mail yet. The first person's fields stay where they are, to be filled anew: making and
   * laying out some forty of them is what costs most between a click and the first value. */
  clear() {
    this.#people = this.#people.slice(0, 1).filter((person) => person.isAsPlanned);
    this.#said.clear();
    this.#unsaid.clear();
    this.people.replaceChildren(...this.#people.map(({ root }) => root));
    this.tokens.textContent = "";
    this.mail.clear();
  }

  /** @param {Shown} now */
  render({ story, edits, status, rung, timings, saveAs, offer, leftOut, second }) {
    const waiting = ["idle", "queued", "extracting"].includes(story.state);
    const locked = !["idle", "queued", "extracting", "review"].includes(story.state) || status.state === "saving";
    this.#bar(story, status, rung, timings);
    setText(this.save, saveAs);
    const nothing = story.status === "nothing_to_file";
    this.nothing.hidden = !nothing;
    this.people.hidden = nothing;
    if (nothing && !this.nothing.childElementCount) this.nothing.append(element("h2", { text: text("nothing.title") }), element("p", { text: whyNothing(story) }));
    if (!nothing) this.nothing.replaceChildren();
    const several = story.people.length > 1;
    for (let index = this.#people.length; index < Math.max(1, story.people.length); index++) this.#add(index);
    this.#people.forEach((person, index) => person.show(story.people[index], edits, story.issues, { waiting, locked, several }));
    this.notices.show(story, edits, locked, offer, leftOut, second);
    this.mail.mark(marksOf(story));
    this.#model(story);
    this.#announce(story);
  }

  /** @param {number} index */
  #add(index) {
    const person = new PersonView(index, { ...this.handlers, onPoint: (key) => this.#point(key) });
    this.#people.push(person);
    this.people.append(person.root);
  }

  /** @param {Story} story @param {Shown["status"]} status @param {string | null} rung @param {string} timings */
  #bar(story, { state, text: words }, rung, timings) {
    this.status.setAttribute("data-state", state);
    setText(this.status, words);
    setText(this.rung, rung ? rungWord(rung) : "");
    this.rung.setAttribute("data-rung", rung ?? "");
    setText(this.timings, timings);
    const open = ["idle", "queued", "extracting", "review", "saving", "undoing"].includes(story.state);
    this.save.hidden = !open;
    this.save.disabled = state !== "review";
    this.cancel.hidden = !open || ["saving", "undoing"].includes(story.state);
    this.undo.hidden = state !== "saved";
    this.retry.hidden = !(story.state === "failed" && story.error?.retryable);
    this.again.hidden = open;
  }

  /** @param {Story} story */
  #model({ tokens, engine, model }) {
    this.model.hidden = !tokens && engine !== "model";
    setText(this.count, model ?? "");
    const had = this.tokens.textContent ?? "";
    if (tokens === had) return;
    if (tokens.startsWith(had)) this.tokens.append(tokens.slice(had.length));
    else this.tokens.textContent = tokens;
    this.tokens.scrollTop = this.tokens.scrollHeight;
  }

  /** The field with the focus wins over the one under the pointer. @param {string} key */
  #point(key) {
    const focused = document.activeElement?.closest(".field");
    const held = focused && ["person", "record", "field"].map((name) => focused.getAttribute(`data-${name}`)).join(".");
    this.mail.activate(key || held || "");
  }

  /** @param {string} key  "person.record.field" or "person.field" */
  #focus(key) {
    const [index, ...name] = key.split(".");
    const person = this.#people[Number(index)];
    if (name.length > 1) person?.focus(name.join("."));
    else ["contact", "company", "deal"].some((record) => person?.focus(`${record}.${name}`));
  }

  /** Tell screen readers which fields came: together, once a value, and never the model's text. @param {Story} story */
  #announce({ people }) {
    for (const { index, fields } of people)
      for (const [name, field] of Object.entries(fields)) {
        const label = this.#people[index]?.rows.get(name)?.label;
        const key = `${index}.${name}`;
        const said = label && text("spoken", { field: label, value: shown(field.value), sure: sureWord(field.confidence) });
        if (!said || this.#said.get(key) === said) continue;
        this.#said.set(key, said);
        this.#unsaid.set(key, said);
      }
    if (!this.#unsaid.size || this.#saying) return;
    this.#saying = setTimeout(() => {
      this.live.textContent = [...this.#unsaid.values()].join(" ");
      this.#unsaid.clear();
      this.#saying = undefined;
    }, ANNOUNCE_MS);
  }
}
