// What the pane knows of each mail, so that it is there at once when the mail is opened again. Per user, forgotten after
// some hours, never a credential. The server stays the truth: whatever is kept only says where to go on reading.

const PREFIX = "wellintake.mail.";
const HOURS_MS = 12 * 3600_000;
const MOST = 20;

/** @typedef {import("./desk.js").Kept & {at: number}} Entry */

export class MailMemory {
  /** @param {Storage} storage @param {string} user  whose mailbox it is @param {() => number} [now] epoch ms */
  constructor(storage, user, now = Date.now) {
    this.storage = storage;
    this.user = user;
    this.now = now;
  }

  /** The memory of one mail. @param {string} mail  its id in this mailbox @returns {import("./desk.js").Memory} */
  of(mail) {
    const name = PREFIX + digest(`${this.user}\n${mail}`);
    return {
      recall: () => this.#fresh(this.#read(name)),
      keep: (part) => this.#write(name, { .../** @type {any} */ (this.#read(name)), ...slim(part), at: this.now() }),
      forget: () => this.#remove(name),
    };
  }

  /** @param {Entry | null} entry */
  #fresh(entry) {
    return entry?.runId && this.now() - entry.at < HOURS_MS ? entry : null;
  }

  /** @param {string} name @returns {Entry | null} */
  #read(name) {
    try {
      return JSON.parse(this.storage.getItem(name) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {Entry} entry */
  #write(name, entry) {
    try {
      this.storage.setItem(name, JSON.stringify(entry));
      this.#purge();
    } catch {
      this.#remove(name);  // full or switched off: then nothing is remembered
    }
  }

  /** @param {string} name */
  #remove(name) {
    try {
      this.storage.removeItem(name);
    } catch {}
  }

  /** Old ones go, and all but the newest. */
  #purge() {
    const names = Object.keys(this.storage).filter((name) => name.startsWith(PREFIX));
    const at = new Map(names.map((name) => [name, this.#read(name)?.at ?? 0]));
    names.sort((a, b) => /** @type {number} */ (at.get(b)) - /** @type {number} */ (at.get(a)));
    names.filter((name, place) => place >= MOST || this.now() - /** @type {number} */ (at.get(name)) >= HOURS_MS).forEach((name) => this.#remove(name));
  }
}

/** The model's answer is long and can be read again. @param {Partial<import("./desk.js").Kept>} part */
const slim = ({ story, ...part }) => (story ? { ...part, story: { ...story, tokens: "" } } : part);

/** A short name for a long id; FNV-1a over two halves. @param {string} text */
function digest(text) {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(at), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
