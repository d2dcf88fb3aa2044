import { labelOf, shown } from "../fields.js";
import { isDegraded } from "../second.js";
import { duration } from "../words.js";
import { element, link } from "./element.js";

/** @typedef {import("../story.js").Story} Story */
/** @typedef {{onFocus: (person: number, field: string) => void, onWithout: (file: string, without: boolean) => void, onAllow: (allow: boolean) => void, onFollowUp: () => void,
 *   onEdit: (key: string, text: string) => void, onAskAgain: () => void}} NoticeHandlers */

const STEPS = /** @type {Record<string, string>} */ ({ account: "Account", contact: "Contact", deal: "Deal", note: "Note", attachment: "Attachment" });

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
    return block("Already in the CRM",
      element("ul", {}, ...duplicates.map(({ url, module, record, matched_on, person }) =>
        element("li", { "data-testid": "duplicate" }, link(url, nameOf(record) || module), ` – ${module.replace(/s$/, "").toLowerCase()} with the same ${labelOf(matched_on).toLowerCase()}`,
          compared(record, people.find(({ index }) => index === person), module)))),
      element("label", { class: "choice" }, allow, " Save as new all the same"));
  }

  /** What the firm's page said too late for the save: added when the user says so. @param {Story} story @param {Record<string, string>} offer */
  #offered({ status }, offer) {
    const facts = Object.entries(offer);
    if (status !== "saved" || !facts.length) return null;
    return block("The firm’s web page answered late",
      element("ul", { "data-testid": "offer" }, ...facts.map(([name, value]) => element("li", { text: `${labelOf(name)}: ${value}` }))),
      element("button", { type: "button", class: "plain", "data-testid": "follow-up", text: "Add to the CRM", onclick: () => this.handlers.onFollowUp() }));
  }

  /** @param {Story} story */
  #issues({ issues, status }) {
    if (!issues.length || status === "nothing_to_file") return null;
    return block("Worth a look", element("ul", {}, ...issues.map(({ message, field, person, code }) =>
      element("li", { "data-testid": "issue", "data-code": code },
        field ? element("button", { type: "button", class: "plain", text: message, onclick: () => this.handlers.onFocus(person ?? 0, field) }) : message))));
  }

  /** The model once more, when its first answer was not whole: what it says otherwise, to take or to leave.
   * @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked @param {import("../second.js").Second | null} second */
  #askedAgain(story, { values }, locked, second) {
    if (locked || story.state !== "review" || !isDegraded(story)) return null;
    const ask = element("button", { type: "button", class: "plain", "data-testid": "ask-again", text: second?.asking ? "It is being asked…" : "Ask the model again", disabled: second?.asking, onclick: () => this.handlers.onAskAgain() });
    const left = (second?.said ?? []).filter(({ key, text }) => values[key] !== text);
    return block("The model", ...(second?.message ? [element("p", { class: "quiet", text: second.message })] : []),
      element("ul", { "data-testid": "said-again" }, ...left.map(({ key, label, text, sure }) => element("li", {}, `${label}: ${text} `, element("small", { text: `${sure} ` }),
        element("button", { type: "button", class: "plain", text: "Take", "aria-label": `Take ${text} for ${label}`, onclick: () => this.#take(key, text) })))),
      ask);
  }

  /** @param {string} key @param {string} text */
  #take(key, text) {
    this.handlers.onEdit(key, text);
    const [person, ...name] = key.split(".");
    this.handlers.onFocus(Number(person), name.join("."));
  }

  /** @param {Story} story @param {import("../corrections.js").Edits} edits @param {boolean} locked */
  #files(story, { without }, locked) {
    const files = filesOf(story);
    if (!files.length) return null;
    return block("Attachments", element("ul", { class: "files" }, ...files.map((name) => {
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
  return block(status === "saved" ? "In the CRM" : "Saving", element("ol", { class: "steps" }, ...steps.map(({ step, action, url, message }) =>
    element("li", { title: message || null, "data-action": action },
      link(url, STEPS[step] ?? step.replace(/s$/, ""), { "data-testid": "record-link" }), element("small", { text: action })))));
}

/** @param {readonly string[]} leftOut */
const notHandedIn = (leftOut) => leftOut.length
  ? block("Not handed in", element("ul", { "data-testid": "left-out" }, ...leftOut.map((text) => element("li", { text })))) : null;

/** @param {Story} story */
function researched({ research }) {
  if (!research) return null;
  const { status, domain, elapsed } = research;
  const outcome = { running: "being read…", complete: `read in ${duration(elapsed * 1000)}`, timeout: "did not answer in time", skipped: "not needed", failed: "could not be read" }[status];
  return block("The firm’s web page", element("p", { class: "quiet", text: [domain, outcome].filter(Boolean).join(" ") }));
}

/** What the CRM and the mail say differently, side by side. @param {any} record @param {import("../story.js").Person | undefined} person @param {string} module */
function compared(record, person, module) {
  const rows = Object.entries(record ?? {}).flatMap(([name, theirs]) => {
    const ours = person?.fields[`${module.replace(/s$/, "").toLowerCase()}.${name}`]?.value;
    return ours && theirs && shown(ours) !== shown(/** @type {string} */ (theirs)) ? [[labelOf(name), shown(/** @type {string} */ (theirs)), shown(ours)]] : [];
  });
  if (!rows.length) return "";
  return element("table", { class: "compared", "data-testid": "compared" },
    element("thead", {}, element("tr", {}, element("th", { text: "" }), element("th", { scope: "col", text: "In the CRM" }), element("th", { scope: "col", text: "In this mail" }))),
    element("tbody", {}, ...rows.map(([label, theirs, ours]) =>
      element("tr", {}, element("th", { scope: "row", text: label }), element("td", { text: theirs }), element("td", { text: ours })))));
}

/** @param {any} record */
const nameOf = (record) =>
  shown(record?.deal_name ?? record?.full_name ?? record?.company_name ?? [record?.first_name, record?.last_name].filter(Boolean).join(" "));
