import { CARDS, shown } from "../fields.js";
import { text } from "../texts.js";
import { element, setText } from "./element.js";
import { FieldRow } from "./field.js";

/** @typedef {import("../story.js").Person} Person */
/** @typedef {import("./field.js").FieldHandlers & {onSkip: (person: number, skip: boolean) => void}} PersonHandlers */

const NOT_SHOWN_TWICE = new Set(["contact.full_name"]);

const PLANNED = CARDS.reduce((sum, { fields, more }) => sum + fields.length + (more?.fields.length ?? 0), 0);

/** One person's cards. */
export class PersonView {
  /** @type {Map<string, FieldRow>} */
  rows = new Map();
  /** @type {{details: HTMLElement, summary: HTMLElement, names: string[], title: string}[]} */
  #folds = [];

  /** @param {number} index @param {PersonHandlers} handlers */
  constructor(index, handlers) {
    this.index = index;
    this.handlers = handlers;
    this.name = element("h2", { class: "person-name", "data-testid": "field", "data-person": index, "data-record": "contact", "data-field": "full_name", tabindex: -1 });
    for (const [event, key] of [["pointerenter", `${index}.contact.full_name`], ["pointerleave", ""]])
      this.name.addEventListener(event, () => handlers.onPoint(key));
    this.role = element("p", { class: "person-role" });
    this.file = element("input", { type: "checkbox", checked: true, "data-testid": "file-person" });
    this.file.addEventListener("change", () => handlers.onSkip(index, !this.file.checked));
    this.choice = element("label", { class: "choice", hidden: true }, this.file, ` ${text("person.file")}`);
    this.cards = element("div", { class: "cards" }, ...CARDS.map((card) => this.#card(card)));
    this.root = element("section", { class: "person", "data-person": index, "data-testid": "person" },
      element("header", { class: "person-head" }, element("div", {}, this.role, this.name), this.choice), this.cards);
  }

  /** @param {import("../fields.js").Card} card */
  #card({ heading, fields, more }) {
    const grid = element("div", { class: "fields" }, ...fields.map((plan) => this.#row(plan)));
    this.#grids.set(fields[0].record, grid);
    return element("section", { class: "card" }, element("h3", { text: text(heading) }), grid, more ? this.#fold(more) : null);
  }

  /** @type {Map<string, HTMLElement>} */
  #grids = new Map();

  /** @param {{heading: import("../texts.js").Key, fields: import("../fields.js").FieldPlan[]}} more */
  #fold({ heading, fields }) {
    const title = text(heading);
    const summary = element("summary", { text: title });
    const details = element("details", { class: "fold" }, summary, element("div", { class: "fields" }, ...fields.map((plan) => this.#row(plan))));
    this.#folds.push({ details, summary, title, names: fields.map(({ record, field }) => `${record}.${field}`) });
    return details;
  }

  /** Are there only the fields that every person has? */
  get isAsPlanned() {
    return this.rows.size === PLANNED;
  }

  /** @param {import("../fields.js").FieldPlan} plan */
  #row(plan) {
    const row = new FieldRow(this.index, plan, this.handlers);
    this.rows.set(`${plan.record}.${plan.field}`, row);
    return row.root;
  }

  /**
   * @param {Person | undefined} person @param {import("../corrections.js").Edits} edits
   * @param {readonly import("../story.js").Issue[]} issues @param {{waiting: boolean, locked: boolean, several: boolean}} how
   */
  show(person, edits, issues, how) {
    const fields = person?.fields ?? {};
    for (const [name, { record, field }] of Object.entries(fields)) if (!this.rows.has(name) && !NOT_SHOWN_TWICE.has(name)) this.#newcomer(record, field);
    const skipped = edits.skipped.includes(this.index);
    for (const [name, row] of this.rows) {
      const mine = issues.filter((issue) => isAbout(issue, this.index, name)).map(({ message }) => message).join(" ");
      row.show(fields[name], edits.values[row.key], mine, { waiting: how.waiting, locked: how.locked || skipped });
    }
    this.#head(fields, edits, person?.role, skipped, how);
    for (const { summary, title, names } of this.#folds) {
      const filled = names.filter((name) => name in fields).length;
      setText(summary, filled ? text("fold.filled", { title, count: filled }) : title);
    }
  }

  /** A field of a newer server. @param {string} record @param {string} field */
  #newcomer(record, field) {
    (this.#grids.get(record) ?? this.#grids.get("deal"))?.append(this.#row({ record, field }));
  }

  /** @param {Readonly<Record<string, import("../story.js").Field>>} fields @param {import("../corrections.js").Edits} edits
   * @param {string | undefined} role @param {boolean} skipped @param {{waiting: boolean, several: boolean, locked: boolean}} how */
  #head(fields, edits, role, skipped, { waiting, several, locked }) {
    const part = (/** @type {string} */ name) => edits.values[`${this.index}.contact.${name}`] ?? shown(fields[`contact.${name}`]?.value);
    const touched = ["first_name", "last_name"].some((name) => `${this.index}.contact.${name}` in edits.values);
    const joined = [part("first_name"), part("last_name")].filter(Boolean).join(" ");
    const full = shown(fields["contact.full_name"]?.value);
    setText(this.name, (touched ? joined : full || joined) || (waiting ? "\u00A0" : text("person.noName")));
    this.name.toggleAttribute("data-waiting", waiting && !full && !joined);
    setText(this.role, role === "client_contact" ? text("person.client") : several ? text("person.candidateNumber", { number: this.index + 1 }) : text("person.candidate"));
    this.choice.hidden = !several;
    this.file.checked = !skipped;
    this.file.disabled = locked;
    this.root.toggleAttribute("data-skipped", skipped);
  }

  /** @param {string} name  "record.field" @returns {boolean} whether there is such a field */
  focus(name) {
    const row = this.rows.get(name) ?? (name === "contact.full_name" ? this.rows.get("contact.last_name") : undefined);
    row?.root.closest("details")?.setAttribute("open", "");
    row?.input.focus();
    return Boolean(row);
  }
}

/** Issues name a field as "record.field" or by its bare name. @param {import("../story.js").Issue} issue @param {number} person @param {string} name */
const isAbout = (issue, person, name) => (issue.person ?? 0) === person && (issue.field === name || issue.field === name.split(".")[1]);
