import { labelOf, shown } from "../fields.js";
import { decimal, text } from "../texts.js";
import { learnedFrom, originWord, sureness, sureWord } from "../words.js";
import { element, setText } from "./element.js";

/** @typedef {import("../story.js").Field} Field */
/** @typedef {{onEdit: (key: string, text: string | null) => void, onPoint: (key: string) => void}} FieldHandlers */

/** One field of one person: there from the start, filled when its value comes. Its size never changes. */
export class FieldRow {
  /** @type {Field | undefined} */
  field;
  #drawn = "";

  /** @param {number} person @param {import("../fields.js").FieldPlan} plan @param {FieldHandlers} handlers */
  constructor(person, plan, { onEdit, onPoint }) {
    this.key = `${person}.${plan.record}.${plan.field}`;
    this.label = labelOf(plan.field);
    const id = `value-${this.key.replaceAll(".", "-")}`;
    const input = { id, class: "field-value", "data-testid": "value", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-meta` };
    this.input = plan.kind === "long" ? element("textarea", { ...input, rows: 4 }) : element("input", { ...input, type: "text" });
    this.input.readOnly = this.fixed = plan.kind === "fixed";
    this.origin = element("span", { class: "origin" });
    this.number = element("span", { class: "confidence" });
    this.word = element("span", { class: "sureness" });
    this.aside = element("div", { class: "aside" });
    this.root = element("div",
      { class: `field ${plan.kind ?? ""}`, "data-testid": "field", "data-person": person, "data-record": plan.record, "data-field": plan.field },
      element("label", { for: id, text: this.label }),
      element("span", { class: "meta", id: `${id}-meta` }, this.origin, " ", this.number, " ", this.word),
      this.input, this.aside);
    if (plan.choices) this.#offer(id, plan.choices);
    this.input.addEventListener("input", () => onEdit(this.key, this.input.value === shown(this.field?.value) ? null : this.input.value));
    this.input.addEventListener("keydown", (event) => {
      if (/** @type {KeyboardEvent} */ (event).key === "Escape") onEdit(this.key, null);
    });
    for (const [event, key] of [["focusin", this.key], ["focusout", ""], ["pointerenter", this.key], ["pointerleave", ""]])
      this.root.addEventListener(event, () => onPoint(key));
    this.#take = (value) => {
      onEdit(this.key, value);
      this.input.focus();
    };
  }

  /** @type {(value: string) => void} */
  #take;

  /** @param {string} id @param {readonly string[]} choices */
  #offer(id, choices) {
    this.input.setAttribute("list", `${id}-choices`);
    this.root.append(element("datalist", { id: `${id}-choices` }, ...choices.map((value) => element("option", { value }))));
  }

  /**
   * @param {Field | undefined} field @param {string | undefined} edit @param {string} issue
   * @param {{waiting: boolean, locked: boolean}} how  `waiting`: a value may still come
   */
  show(field, edit, issue, { waiting, locked }) {
    const drawn = JSON.stringify([field, edit, issue, waiting, locked]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const came = field && JSON.stringify(field.value) !== JSON.stringify(this.field?.value);
    this.field = field;
    const value = edit ?? shown(field?.value);
    if (this.input.value !== value) this.input.value = value;
    this.input.placeholder = waiting ? "" : "–";
    this.input.readOnly = this.fixed || locked;
    this.input.title = document.activeElement === this.input ? "" : value;
    this.root.toggleAttribute("data-waiting", waiting && !value);
    this.root.toggleAttribute("data-edited", edit !== undefined);
    this.root.toggleAttribute("data-issue", Boolean(issue));
    this.#meta(field, edit);
    this.#asides(field, edit, issue, locked);
    if (!field) this.root.classList.remove("came");
    else if (came && edit === undefined) this.#arrive();
  }

  /** @param {Field | undefined} field @param {string | undefined} edit */
  #meta(field, edit) {
    const known = field && edit === undefined;
    setText(this.origin, edit !== undefined ? originWord("user") : field ? originWord(field.origin) : "");
    setText(this.number, known && field.origin !== "user" ? decimal(field.confidence, 2) : "");
    setText(this.word, edit !== undefined ? text("edited") : known && field.origin !== "user" ? sureWord(field.confidence) : "");
    this.root.setAttribute("data-sure", known ? sureness(field.confidence) : "");
  }

  /** What helps to decide, while the field has the focus: its issue, its words, what else was read. Floats, moves nothing.
   * @param {Field | undefined} field @param {string | undefined} edit @param {string} issue @param {boolean} locked */
  #asides(field, edit, issue, locked) {
    const others = (field?.alternatives ?? []).filter(({ value }) => shown(value) !== shown(field?.value));
    if (field && edit !== undefined) others.unshift(field);
    this.root.toggleAttribute("data-differs", others.length > 0 && edit === undefined);
    const { quote, source } = field?.evidence ?? {};
    const file = source?.startsWith("attachment:") ? source.slice("attachment:".length) : "";
    this.aside.replaceChildren(
      ...(issue ? [element("p", { class: "aside-issue", text: issue })] : []),
      ...(quote ? [element("q", { text: quote }), ...(file ? [element("p", { text: text("evidence.file", { file }) })] : [])] : field ? [element("p", { text: text("evidence.none") })] : []),
      ...(field?.learned ? [element("p", { "data-testid": "learned", text: learnedFrom(field.learned) })] : []),
      ...(locked ? [] : others.map((other) =>
        element("button", { type: "button", class: "alternative", onclick: () => this.#take(shown(other.value)) },
          element("span", { text: shown(other.value) }), element("small", { text: `${originWord(other.origin)} ${decimal(other.confidence, 2)}` })))));
    this.aside.hidden = !this.aside.childElementCount;
  }

  #arrive() {
    this.root.classList.remove("came");
    requestAnimationFrame(() => this.root.classList.add("came"));
  }
}
