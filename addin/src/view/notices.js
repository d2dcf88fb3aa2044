import { inSentence, labelOf, shown } from "../fields.js";
import { isDegraded } from "../second.js";
import { heard, spoken, text, textIfKnown } from "../texts.js";
import { actionWord, duration, stepDone, stepWord } from "../words.js";
import { element, link } from "./element.js";

/** @typedef {import("../story.js").Story} Story */
/** @typedef {{onFocus: (person: number, field: string) => void, onWithout: (file: string, without: boolean) => void, onAllow: (allow: boolean) => void, onFollowUp: () => void,
 *   onEdit: (key: string, text: string) => void, onAskAgain: () => void}} NoticeHandlers */

/** What is to be known beside the fields: what was stored, what the CRM holds already, what to look at, what goes along. */
export class Notices {
  #drawn = "";

  /** @param {NoticeHandlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.root = element("div", { class: "notices" });
  }

  /** @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked @param {Record<string, string>} offer
   * @param {readonly string[]} leftOut  sentences on what was not handed in @param {import("../second.js").Second | null} second */
  show(story, edits, locked, offer, leftOut, second) {
    const { progress, records, duplicates, issues, draft, research } = story;
    const drawn = JSON.stringify([progress, records, duplicates, issues, draft, research, edits.without, edits.allowDuplicate, locked, story.status, offer, leftOut, second, second && edits.values]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const blocks = [stored(story), this.#offered(story, offer), this.#duplicates(story, edits, locked), this.#issues(story), this.#askedAgain(story, edits, locked, second), this.#files(story, edits, locked), notHandedIn(leftOut), researched(story)];
    this.root.replaceChildren(...blocks.filter((block) => block !== null));
  }

  /** @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked */
  #duplicates({ duplicates, people }, { allowDuplicate }, locked) {
    if (!duplicates.length) return null;
    const allow = element("input", { type: "checkbox", "data-testid": "allow-duplicate", checked: allowDuplicate, disabled: locked });
    allow.addEventListener("change", () => this.handlers.onAllow(allow.checked));
    return block(text("duplicates.title"),
      element("ul", {}, ...duplicates.map(({ url, module, record, matched_on, person }) =>
        element("li", { "data-testid": "duplicate" }, link(url, nameOf(record) || module), ` – ${text("duplicates.same", { module: moduleWord(module), field: inSentence(labelOf(matched_on)) })}`,
          compared(record, people.find(({ index }) => index === person), module)))),
      element("label", { class: "choice" }, allow, ` ${text("duplicates.allow")}`));
  }

  /** What the firm's page said too late for the save: added when the user says so. @param {Story} story @param {Record<string, string>} offer */
  #offered({ status }, offer) {
    const facts = Object.entries(offer);
    if (status !== "saved" || !facts.length) return null;
    return block(text("offer.title"),
      element("ul", { "data-testid": "offer" }, ...facts.map(([name, value]) => element("li", { text: text("server.field", { field: labelOf(name), message: value }) }))),
      element("button", { type: "button", class: "plain", "data-testid": "follow-up", text: text("offer.add"), onclick: () => this.handlers.onFollowUp() }));
  }

  /** @param {Story} story */
  #issues({ issues, status }) {
    if (!issues.length || status === "nothing_to_file") return null;
    return block(text("issues.title"), element("ul", {}, ...issues.map(({ message, field, person, code }) =>
      element("li", { "data-testid": "issue", "data-code": code },
        field ? element("button", { type: "button", class: "plain", text: heard(message), onclick: () => this.handlers.onFocus(person ?? 0, field) }) : heard(message)))));
  }

  /** The model once more, when its first answer was not whole: what it says otherwise, to take or to leave.
   * @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked @param {import("../second.js").Second | null} second */
  #askedAgain(story, { values }, locked, second) {
    if (locked || story.state !== "review" || !isDegraded(story)) return null;
    const ask = element("button", { type: "button", class: "plain", "data-testid": "ask-again", text: text(second?.asking ? "second.asking" : "second.ask"), disabled: second?.asking, onclick: () => this.handlers.onAskAgain() });
    const left = (second?.said ?? []).filter(({ key, text: value }) => values[key] !== value);
    return block(text("second.title"), ...(second?.message ? [element("p", { class: "quiet", text: second.message })] : []),
      element("ul", { "data-testid": "said-again" }, ...left.map(({ key, label, text: value, sure }) => element("li", {}, `${text("server.field", { field: label, message: value })} `, element("small", { text: `${sure} ` }),
        element("button", { type: "button", class: "plain", text: text("second.take"), "aria-label": text("second.takeThis", { value, field: label }), onclick: () => this.#take(key, value) })))),
      ask);
  }

  /** @param {string} key @param {string} value */
  #take(key, value) {
    this.handlers.onEdit(key, value);
    const [person, ...name] = key.split(".");
    this.handlers.onFocus(Number(person), name.join("."));
  }

  /** @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked */
  #files(story, { without }, locked) {
    const files = filesOf(story);
    if (!files.length) return null;
    return block(text("files.title"), element("ul", { class: "files" }, ...files.map((name) => {
      const box = element("input", { type: "checkbox", checked: !without.includes(name), disabled: locked });
      box.addEventListener("change", () => this.handlers.onWithout(name, !box.checked));
      return element("li", {}, element("label", { class: "choice" }, box, ` ${name}`));
    })));
  }
}

/** Names of the files that a save would store. @param {Story} story @returns {string[]} */
export const filesOf = ({ draft }) => [...new Set(draft.flatMap((filing) => filing.attachments ?? []))];

/** @param {string} title @param {...(Node | string)} children */
const block = (title, ...children) => element("section", { class: "notice" }, element("h2", { text: title }), ...children);

/** @param {Story} story */
function stored({ progress, records, status }) {
  if (!progress.length && !records.length) return null;
  const steps = progress.length ? progress : records.map(({ module, ...record }) => ({ ...record, step: module, message: "" }));
  return block(text(status === "saved" ? "crm.title" : "crm.saving"), element("ol", { class: "steps" }, ...steps.map(({ step, action, url, message }) =>
    element("li", { title: spoken() === "en" ? message || null : stepDone({ step, action }), "data-action": action },
      link(url, stepWord(step), { "data-testid": "record-link" }), element("small", { text: actionWord(action) })))));
}

/** @param {readonly string[]} leftOut */
const notHandedIn = (leftOut) => leftOut.length
  ? block(text("leftOut.title"), element("ul", { "data-testid": "left-out" }, ...leftOut.map((sentence) => element("li", { text: sentence })))) : null;

/** @param {Story} story */
function researched({ research }) {
  if (!research) return null;
  const { status, domain, elapsed } = research;
  const outcome = status === "complete" ? text("research.complete", { time: duration(elapsed * 1000) }) : textIfKnown(`research.${status}`);
  return block(text("research.title"), element("p", { class: "quiet", text: [domain, outcome].filter(Boolean).join(" ") }));
}

/** What the CRM and the mail say differently, side by side. @param {any} record @param {import("../story.js").Person | undefined} person @param {string} module */
function compared(record, person, module) {
  const rows = Object.entries(record ?? {}).flatMap(([name, theirs]) => {
    const ours = person?.fields[`${module.replace(/s$/, "").toLowerCase()}.${name}`]?.value;
    return ours && theirs && shown(ours) !== shown(/** @type {string} */ (theirs)) ? [[labelOf(name), shown(/** @type {string} */ (theirs)), shown(ours)]] : [];
  });
  if (!rows.length) return "";
  return element("table", { class: "compared", "data-testid": "compared" },
    element("thead", {}, element("tr", {}, element("th", { text: "" }), element("th", { scope: "col", text: text("compared.crm") }), element("th", { scope: "col", text: text("compared.mail") }))),
    element("tbody", {}, ...rows.map(([label, theirs, ours]) =>
      element("tr", {}, element("th", { scope: "row", text: label }), element("td", { text: theirs }), element("td", { text: ours })))));
}

/** One record of a module, in the middle of a sentence. @param {string} module */
const moduleWord = (module) => textIfKnown(`module.${module.toLowerCase()}`) ?? module.replace(/s$/, "").toLowerCase();

/** @param {any} record */
const nameOf = (record) =>
  shown(record?.deal_name ?? record?.full_name ?? record?.company_name ?? [record?.first_name, record?.last_name].filter(Boolean).join(" "));
