import { cut } from "../evidence.js";
import { text } from "../texts.js";
import { element } from "./element.js";

/** @typedef {import("../evidence.js").Mark & {source: string}} SourceMark */

/** The mail as the server read it, with the words that values rest on. */
export class MailPane {
  /** @type {Map<string, {text: string, node: HTMLElement, drawn: string}>} */
  #sources = new Map();
  #active = "";

  /** @param {(key: string) => void} onPick  somebody clicked the words of a field */
  constructor(onPick) {
    this.root = element("section", { class: "mail", "aria-label": text("mail.label"), tabindex: 0 });
    this.root.addEventListener("click", ({ target }) => {
      const key = target instanceof Element && target.closest("mark")?.getAttribute("data-keys")?.split(" ")[0];
      if (key) onPick(key);
    });
    this.clear();
  }

  /** Lines where the mail will stand. */
  clear() {
    this.#sources.clear();
    this.#active = "";
    const lines = Array.from({ length: 9 }, () => element("span", { class: "ghost-line" }));
    this.root.replaceChildren(element("div", { class: "ghost", "aria-hidden": "true" }, ...lines));
  }

  get isEmpty() {
    return this.#sources.size === 0;
  }

  /** What stands there already stays as it is, where the reader is. @param {Record<string, string>} sources  canonical text by name */
  show(sources) {
    if (this.isEmpty) {
      this.root.replaceChildren();
      this.root.scrollTop = 0;
    }
    const known = ["subject", "header", "body"];
    const names = [...known.filter((name) => name in sources), ...Object.keys(sources).filter((name) => !known.includes(name))];
    this.root.append(...names.filter((name) => !this.#sources.has(name)).map((name) => this.#section(name, sources[name])));
  }

  /** @param {string} name @param {string} words */
  #section(name, words) {
    const node = element(name === "subject" ? "h2" : "div", { class: "mail-text", text: words });
    this.#sources.set(name, { text: words, node, drawn: "" });
    if (!name.startsWith("attachment:")) return element("div", { class: `mail-${name}` }, node);
    return element("div", { class: "mail-attachment" }, element("h3", { text: name.slice("attachment:".length) }), node);
  }

  /** @param {readonly SourceMark[]} marks */
  mark(marks) {
    for (const [name, source] of this.#sources) {
      const mine = marks.filter((mark) => mark.source === name && mark.end > mark.start);
      const drawn = mine.map(({ key, start, end }) => `${key}:${start}-${end}`).join();
      if (drawn === source.drawn) continue;
      source.drawn = drawn;
      source.node.replaceChildren(...cut(source.text, mine).map(({ text: words, keys }) =>
        keys.length ? element("mark", { class: "evidence", "data-keys": keys.join(" "), text: words }) : words));
      this.#light(source.node);
    }
  }

  /** Light up the words of one field, and bring them into sight inside the pane. @param {string} key  "" for none */
  activate(key) {
    if (key === this.#active) return;
    this.#active = key;
    this.#light(this.root);
    const first = this.root.querySelector("mark.is-active");
    if (!first) return;
    const [mark, pane] = [first.getBoundingClientRect(), this.root.getBoundingClientRect()];
    if (mark.top >= pane.top + 24 && mark.bottom <= pane.bottom - 24) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root.scrollTo({ top: this.root.scrollTop + mark.top - pane.top - pane.height / 3, behavior: calm ? "auto" : "smooth" });
  }

  /** @param {Element} within */
  #light(within) {
    for (const mark of within.querySelectorAll("mark"))
      mark.classList.toggle("is-active", Boolean(this.#active) && (mark.getAttribute("data-keys") ?? "").split(" ").includes(this.#active));
  }
}

/** The words that the values of all people rest on. @param {import("../story.js").Story} story @returns {SourceMark[]} */
export const marksOf = ({ people }) => people.flatMap(({ index, fields }) =>
  Object.entries(fields).flatMap(([name, { evidence }]) => (evidence ? [{ key: `${index}.${name}`, ...evidence }] : [])));
