// The text/event-stream format (WHATWG HTML §9.2.6): text in, events out; no I/O.

/** @typedef {{type: string, data: string, id: string}} ServerSentEvent */

export class EventStream {
  #rest = "";
  #afterCr = false;
  #first = true;
  #id = "";
  #type = "";
  /** @type {string[]} */
  #data = [];

  /** @param {string} text  cut anywhere @returns {ServerSentEvent[]} the events that it completes */
  feed(text) {
    if (this.#first && text) {
      this.#first = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    // CR LF is one line end, also when a chunk ends between the two.
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1);
    if (text) this.#afterCr = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  /** @param {string} line @returns {ServerSentEvent | undefined} */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  /** @returns {ServerSentEvent | undefined} */
  #dispatch() {
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    return empty ? undefined : event;
  }
}
