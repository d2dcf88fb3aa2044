// The fields as they stood at a moment, person by person, with the words of the mail that each rests on.

import { CARDS, labelOf, shown } from "../fields.js";
import { element } from "../view/element.js";
import { learnedFrom, originWord, sureness } from "../words.js";
import { WITHHELD } from "./words.js";

/** @typedef {import("../story.js").Story} Story @typedef {import("../story.js").Field} Field */

const PLANS = CARDS.flatMap(({ fields, more }) => [...fields, ...(more?.fields ?? [])]);
const PLACE = new Map(PLANS.map(({ record, field }, index) => [`${record}.${field}`, index]));
PLACE.set("contact.full_name", -1);  // elsewhere it is a heading
const HEADINGS = ["contact", "company", "deal", "mail"];

export class Fields {
  /** @type {Story | null} */
  #drawn = null;

  /** @param {HTMLElement} root @param {{maySeeMail: boolean, onPoint: (key: string) => void}} how  `onPoint`: a row is looked at, "" for none */
  constructor(root, { maySeeMail, onPoint }) {
    this.root = root;
    this.maySeeMail = maySeeMail;
    const keyOf = (/** @type {Event} */ { target }) => (target instanceof Element && target.closest("tr[data-key]")?.getAttribute("data-key")) || "";
    for (const type of ["focusin", "pointerover"]) root.addEventListener(type, (event) => onPoint(keyOf(event)));
    for (const type of ["focusout", "pointerleave"]) root.addEventListener(type, () => onPoint(""));
  }

  /** @param {Story} story @param {Story} before  the moment before, to show what is new */
  show(story, before) {
    const was = this.#drawn;
    this.#drawn = story;
    if (was && was.people === story.people && was.mail === story.mail && !this.root.querySelector("[data-new]")) return;
    const several = story.people.length > 1;
    const groups = story.people.map(({ index, role, fields }) =>
      this.#table(several ? `Person ${index + 1}` : null, role, String(index), Object.values(fields), before.people[index]?.fields ?? {}));
    const ofMail = Object.values(story.mail);
    if (ofMail.length) groups.push(this.#table("The mail", "", "mail", ofMail, before.mail));
    this.root.replaceChildren(...(groups.length ? groups : [element("p", { class: "quiet", text: "No field yet." })]));
  }

  /** @param {string} key  "person.record.field" */
  focus(key) {
    /** @type {HTMLElement | null} */ (this.root.querySelector(`tr[data-key="${CSS.escape(key)}"]`))?.focus();
  }

  /** @param {string | null} title @param {string} role @param {string} person @param {Field[]} fields @param {Readonly<Record<string, Field>>} before */
  #table(title, role, person, fields, before) {
    const rank = (/** @type {Field} */ { record, field }) => PLACE.get(`${record}.${field}`) ?? PLANS.length;
    const bodies = HEADINGS.map((record) => [record, fields.filter((one) => one.record === record).sort((a, b) => rank(a) - rank(b))])
      .filter(([, mine]) => mine.length);
    return element("div", { class: "person" },
      title ? element("h3", { text: role ? `${title}, ${labelOf(role).toLowerCase()}` : title }) : null,
      element("table", {},
        element("thead", {}, element("tr", {}, ...["Field", "Value", "Sure", "From", "Words of the mail"].map((text) => element("th", { scope: "col", text })))),
        ...bodies.map(([record, mine]) => element("tbody", {},
          element("tr", { class: "record" }, element("th", { scope: "rowgroup", colspan: 5, text: labelOf(/** @type {string} */ (record)) })),
          .../** @type {Field[]} */ (mine).map((field) => this.#row(person, field, before[`${field.record}.${field.field}`]))))));
  }

  /** @param {string} person @param {Field} field @param {Field | undefined} before */
  #row(person, field, before) {
    const name = `${field.record}.${field.field}`;
    const others = field.alternatives.filter(({ value }) => shown(value) !== shown(field.value)).map(({ value, origin }) => `${shown(value)} (${originWord(origin)})`);
    const isNew = !before || shown(before.value) !== shown(field.value) || before.origin !== field.origin;
    return element("tr", { "data-key": `${person}.${name}`, "data-testid": `field-${person}.${name}`, "data-new": isNew, tabindex: 0 },
      element("th", { scope: "row", text: labelOf(field.field) }),
      element("td", { class: "value" }, shown(field.value),
        others.length ? element("small", { text: `also read: ${others.join("; ")}` }) : null,
        field.learned ? element("small", { text: learnedFrom(field.learned) }) : null),
      element("td", { "data-sure": sureness(field.confidence), text: `${sureness(field.confidence)} ${field.confidence.toFixed(2)}` }),
      element("td", { text: originWord(field.origin) }),
      element("td", { class: "words" }, ...this.#words(field)));
  }

  /** @param {Field} field */
  #words({ evidence }) {
    if (!evidence) return ["–"];
    const where = element("small", { text: [evidence.source, evidence.status === "quoted" ? "" : evidence.status].filter(Boolean).join(", ") });
    return [this.maySeeMail ? element("q", { text: evidence.quote }) : element("span", { class: "quiet", text: WITHHELD }), where];
  }
}
