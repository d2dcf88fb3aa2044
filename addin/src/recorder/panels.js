// What is to be seen of a moment beside its fields: facts, events, the model's text, research, the CRM, steps.

import { fullLabelOf, labelOf, shown } from "../fields.js";
import { element, link, setText } from "../view/element.js";
import { duration, originWord, rungWord, statusOf } from "../words.js";
import { costOf, counted, laneOf, sentenceOf, since, tokensOf, WITHHELD } from "./words.js";

/** @typedef {import("../story.js").Story} Story @typedef {import("./recording.js").Recording} Recording */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Story} story @param {any} run  what the server knows of it */
export function showFacts(story, run) {
  const ms = (/** @type {number | undefined | null} */ value) => (typeof value === "number" ? duration(value) : "–");
  /** @type {[string, string, string?][]} */
  const facts = [
    ["state", statusOf(story, { reconnecting: false, starting: false, saving: false }).text || "Waits for a worker"],
    ["read by", story.engine ? (story.engine === "model" ? story.model ?? "a model" : "the rules alone") : "–", story.language ? `language: ${story.language}` : ""],
    ["prompt version", story.promptVersion ?? "–"],
    ["cost", costOf(story), tokensOf(story)],
    ["first field", ms(story.timings.first_field)], ["all fields", ms(story.timings.extraction ?? story.timings.total)],
    ["opened by workers", story.state === "queued" ? "–" : counted(run.attempts_told, "time"), run.attempts_told > 1 ? "it was interrupted" : ""],
  ];
  byId("facts-now").replaceChildren(...facts.map(([name, value, more]) => element("div", {},
    element("dt", { text: name }), element("dd", { "data-testid": `fact-${name.replaceAll(" ", "-")}` }, value, more ? element("small", { text: more }) : null))));
}

/** The model's text so far. @param {Story} story @param {Recording} recording @param {number} count @param {boolean} maySeeMail */
export function showModel({ tokens, engine }, recording, count, maySeeMail) {
  const pieces = recording.envelopes.slice(0, count).filter(({ type }) => type === "extraction_token").length;
  const text = byId("tokens");
  text.hidden = !tokens;
  const had = text.textContent ?? "";
  if (tokens.startsWith(had)) text.append(tokens.slice(had.length));
  else text.textContent = tokens;
  const nothing = engine === "model" ? "It has not said anything yet." : "No model was asked.";
  setText(byId("tokens-note"), !pieces ? nothing : maySeeMail ? counted(pieces, "piece") : `${counted(pieces, "piece")}, ${WITHHELD}: a model may repeat the mail.`);
}

/** @param {readonly import("./recording.js").Call[]} calls */
export function showCalls(calls) {
  byId("calls").replaceChildren(...calls.map(({ step, action, id, url, message, person, number, attempt, ms }) =>
    element("tr", { "data-failed": step === "failed" },
      element("th", { scope: "row" }, step === "failed" ? "Failure" : labelOf(step), person ? element("small", { text: `person ${person + 1}` }) : null),
      element("td", {}, step === "failed" ? message : action, element("small", { text: step === "failed" ? action : message })),
      element("td", {}, id ? link(url, id) : "–"),
      element("td", { text: ms === null ? "–" : duration(ms) }),
      element("td", { text: `save ${number}${attempt > 1 ? `, try ${attempt}` : ""}` }))));
  byId("calls-table").hidden = !calls.length;
  byId("calls-none").hidden = Boolean(calls.length);
}

/** Research, what the CRM held before, what to look at. @param {Story} story */
export function showRest({ research, duplicates, issues }) {
  const outcome = research && (research.status === "running" ? "is being read…" : `${research.status} in ${duration(research.elapsed * 1000)}`);
  const facts = Object.entries(research?.result ?? {}).filter(([, value]) => typeof value === "string" || Array.isArray(value));
  byId("research").replaceChildren(
    element("p", { text: research ? `${research.domain} ${outcome}` : "None." }),
    ...(facts.length ? [element("ul", {}, ...facts.map(([name, value]) => element("li", { text: `${labelOf(name)}: ${shown(value)}` })))] : []));
  byId("duplicates").replaceChildren(...listed(duplicates.map(({ module, matched_on, url, id }) =>
    element("li", {}, link(url, id), ` ${module}, the same ${labelOf(matched_on).toLowerCase()}`))));
  byId("issues").replaceChildren(...listed(issues.map(({ message, code }) => element("li", {}, message, " ", element("small", { text: code })))));
}

/** Steps that were finished by then: a worker that takes the run over does them no second time.
 * @param {{name: string, finished_at: number}[]} steps @param {number} acceptedAt @param {number} until epoch seconds */
export function showSteps(steps, acceptedAt, until) {
  const done = steps.filter((step) => step.finished_at <= until);
  byId("steps").replaceChildren(...listed(done.map(({ name, finished_at: at }) =>
    element("li", {}, element("time", { text: since((at - acceptedAt) * 1000) }), ` ${name}`))));
}

/** @param {readonly import("./recording.js").Reading[]} readings @param {number} acceptedAt */
export function showReadings(readings, acceptedAt) {
  byId("readings").replaceChildren(...listed(readings.map(({ at, until, reader, transport, after, again }) =>
    element("li", {}, element("time", { text: since((at - acceptedAt) * 1000) }), ` ${reader}${again ? " again" : ""} by ${rungWord(transport)}, `,
      after ? `behind event ${after}` : "from the beginning", until === null ? ", reads on" : `, for ${duration((until - at) * 1000)}`))));
}

/** @param {HTMLElement[]} items */
const listed = (items) => [items.length ? element("ul", {}, ...items) : element("p", { text: "None." })];

/** All events, to jump to; the model's text in one line for as long as nothing comes between. */
export class Events {
  /** @type {{from: number, button: HTMLButtonElement}[]} */
  #rows = [];
  /** @type {HTMLButtonElement | null} */
  #current = null;

  /** @param {Recording} recording @param {(count: number) => void} onPick */
  constructor(recording, onPick) {
    this.recording = recording;
    this.onPick = onPick;
    this.drawn = 0;
  }

  grown() {
    const { envelopes } = this.recording;
    for (; this.drawn < envelopes.length; this.drawn++) {
      const envelope = envelopes[this.drawn];
      if (envelope.type === "extraction_token" && envelopes[this.drawn - 1]?.type === "extraction_token") continue;
      const count = this.drawn + 1;
      const button = element("button", { type: "button", "data-lane": laneOf(envelope.type), onclick: () => this.onPick(count) },
        element("time", { text: since(this.recording.msAt(count)) }), element("span", { text: sentenceOf(envelope) }));
      this.#rows.push({ from: count, button });
      byId("events").append(element("li", {}, button));
    }
  }

  /** @param {number} count */
  show(count) {
    const row = this.#rows.findLast(({ from }) => from <= count)?.button ?? null;
    if (row === this.#current) return;
    this.#current?.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    this.#current = row;
    const list = byId("events");
    if (row) list.scrollTop = row.offsetTop - list.clientHeight / 2;
  }
}

/** @type {Record<string, string>} */
const CHANGES = { changed: "changed", added: "added", gone: "gone", same: "the same" };

/** A rerun beside the run before it. @param {any[] | null} found  null until both have a result */
export function showDifferences(found) {
  const of = (/** @type {string} */ change) => (found ?? []).filter((one) => one.change === change);
  const differing = ["changed", "added", "gone"].flatMap(of);
  setText(byId("differences-note"), found ? Object.entries(CHANGES).map(([change, words]) => `${of(change).length} ${words}`).join(" · ") : "There is something to compare once both runs have a result.");
  byId("differences").replaceChildren(...differing.map(differenceRow));
  byId("differences-table").hidden = !differing.length;
  byId("same").replaceChildren(...of("same").map(differenceRow));
  byId("same-fields").hidden = !of("same").length;
}

/** @param {any} difference */
const differenceRow = ({ person, record, field, change, before, after }) => element("tr", { "data-change": change, "data-testid": `difference-${person}.${record}.${field}` },
  element("th", { scope: "row", class: "value", text: `${person ? `Person ${person + 1}: ` : ""}${fullLabelOf(record, field)}` }),
  ...[before, after].map((one) => element("td", { class: "value" }, one ? shown(one.value) : "–", one ? element("small", { text: `${originWord(one.origin)} ${one.confidence.toFixed(2)}` }) : null)),
  element("td", { text: CHANGES[change] }));
