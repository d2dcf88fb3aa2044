// Outlook, the only file that touches Office.js. Its callbacks may never come, and a pinned pane may hold the item of a mail
// that is no longer shown: every call has a deadline and a second try, and the item is read anew each time.

import { decimal, text } from "./texts.js";

const MAX_FILES = 10;
const MAX_FILE_BYTES = 15_000_000;  // together (contract §3)
const PATIENCE_MS = 8000;

/** Something that Outlook did not do, in words for the user. */
export class OutlookError extends Error {
  isExpected = true;

  /** @param {string} sentence @param {{code?: number, mayPass?: boolean}} [about] `mayPass`: the next try may succeed */
  constructor(sentence, { code, mayPass = false } = {}) {
    super(sentence);
    this.code = code;
    this.mayPass = mayPass;
  }
}

export class Outlook {
  /** @param {any} office  the global `Office` @param {{patience?: number}} [options] ms for one call */
  constructor(office, { patience = PATIENCE_MS } = {}) {
    this.office = office;
    this.patience = patience;
  }

  /** Wait until Outlook is there. */
  async ready() {
    if (!this.office) throw new OutlookError(text("outlook.noScript"));
    const { host } = await within(this.patience, this.office.onReady());
    if (!host) throw new OutlookError(text("outlook.elsewhere"));
  }

  /** In which language Outlook speaks to its user, as BCP 47. @returns {string | undefined} */
  get language() {
    return this.office?.context?.displayLanguage;
  }

  /** Does Outlook lend its user's session to add-ins (nested app authentication)? */
  get signsIn() {
    return Boolean(this.office?.context?.requirements?.isSetSupported("NestedAppAuth", "1.1"));
  }

  get #mailbox() {
    return this.office.context.mailbox;
  }

  /** The mailbox's user. @returns {{name: string, email: string}} */
  get user() {
    const { displayName, emailAddress } = this.#mailbox.userProfile;
    return { name: displayName, email: emailAddress };
  }

  /** The mail before the user now. @returns {{id: string, subject: string} | null} */
  get mail() {
    const item = this.#mailbox.item;
    return item?.itemId ? { id: item.itemId, subject: item.subject ?? "" } : null;
  }

  /** Call when another mail is before the user; a pinned pane stays open over many. @param {() => void} listener */
  onMail(listener) {
    this.#mailbox.addHandlerAsync?.(this.office.EventType.ItemChanged, listener);
    // Not every Outlook tells a pinned pane; whoever comes back to it meets the present mail all the same.
    globalThis.addEventListener?.("focus", listener);
  }

  /**
   * The mail as contract §3 wants it, with `leftOut`: sentences on what could not be taken along.
   * Throws `OutlookError` when there is no mail, when Outlook does not hand it over, or another mail came meanwhile.
   */
  async readMail() {
    const item = this.#mailbox.item;
    if (!item?.itemId) throw new OutlookError(text("outlook.noMail"));
    if (/SMIME|\.RPMSG/i.test(item.itemClass ?? "")) throw new OutlookError(text("outlook.encrypted"));
    const [body, files] = await Promise.all([this.#bodyOf(item), this.#filesOf(item)]);
    if (this.mail?.id !== item.itemId) throw new OutlookError(text("outlook.another"));
    if (!wordsOf(body) && !files.attachments.length) throw new OutlookError(text("outlook.noText"));
    return {
      sender_email: item.from?.emailAddress ?? "", sender_name: item.from?.displayName ?? "", subject: item.subject ?? "",
      body, body_type: "html", to: addressesOf(item.to), cc: addressesOf(item.cc), ...filled({
        received_at: item.dateTimeCreated?.toISOString?.(), internet_message_id: item.internetMessageId, conversation_id: item.conversationId,
      }), attachments: files.attachments, user_context: this.user, leftOut: files.leftOut,
    };
  }

  /** @param {any} item @returns {Promise<string>} HTML */
  #bodyOf(item) {
    return this.#call(text("outlook.what.text"), (done) => item.body.getAsync(this.office.CoercionType.Html, done));
  }

  /** Files, when this Outlook can hand them over (Mailbox 1.8), within the server's limits. @param {any} item */
  async #filesOf(item) {
    /** @type {any[]} */
    const listed = (item.attachments ?? []).filter((/** @type {any} */ file) => !file.isInline);
    if (!listed.length) return { attachments: [], leftOut: [] };
    if (!this.office.context.requirements.isSetSupported("Mailbox", "1.8"))
      return { attachments: [], leftOut: [text("outlook.noFiles")] };
    let room = MAX_FILE_BYTES;
    const fits = listed.map((file, place) => place < MAX_FILES && file.size <= room && Boolean((room -= file.size) + 1));
    const read = await Promise.all(listed.map((file, place) => (fits[place] ? this.#fileOf(item, file) : tooLarge(file, place))));
    return { attachments: read.filter((one) => typeof one !== "string"), leftOut: read.filter((one) => typeof one === "string") };
  }

  /** @param {any} item @param {any} file @returns {Promise<object | string>} the file, or why it is left out */
  async #fileOf(item, file) {
    try {
      const { content, format } = await this.#call(text("outlook.what.file", { file: file.name }), (done) => item.getAttachmentContentAsync(file.id, done));
      if (format === "base64") return { filename: file.name, content_type: file.contentType || "application/octet-stream", content_base64: content };
      if (format === "eml") return { filename: `${file.name}.eml`, content_type: "message/rfc822", content_base64: base64(content) };
      return text("outlook.fileElsewhere", { file: file.name });
    } catch (error) {
      return text("outlook.fileMissing", { file: file.name });
    }
  }

  /** A line in the mail's notification bar (150 characters at most). @param {string} said @param {"progress" | "done" | "error"} kind */
  notify(said, kind) {
    const type = { progress: "progressIndicator", done: "informationalMessage", error: "errorMessage" }[kind];
    const more = kind === "done" ? { icon: "Icon.16", persistent: false } : {};
    const message = said.length > 150 ? `${said.slice(0, 149)}…` : said;
    return this.#call(text("outlook.what.notification"), (done) => this.#mailbox.item.notificationMessages.replaceAsync("wellintake", { type, message, ...more }, done)).catch(() => {});
  }

  /** @param {string} what @param {(done: (result: any) => void) => void} start @returns {Promise<any>} */
  async #call(what, start) {
    try {
      return await once(what, start, this.patience);
    } catch (error) {
      if (!(error instanceof OutlookError) || !error.mayPass) throw error;
      return once(what, start, this.patience);
    }
  }
}

/** @param {string} what @param {(done: (result: any) => void) => void} start @param {number} patience @returns {Promise<any>} */
const once = (what, start, patience) => within(patience, new Promise((resolve, reject) => {
  start(({ status, value, error }) => (status === "succeeded" ? resolve(value) : reject(refusal(what, error))));
}), what);

/** @template T @param {number} ms @param {Promise<T>} promise @param {string} [what] @returns {Promise<T>} */
function within(ms, promise, what = text("outlook.what.anything")) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new OutlookError(text("outlook.late", { what }), { mayPass: true })), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** @param {string} what @param {{code?: number} | undefined} error */
const refusal = (what, error) => new OutlookError(
  error?.code ? text("outlook.refusedCode", { what, code: error.code }) : text("outlook.refused", { what }),
  { code: error?.code, mayPass: true });

/** @param {any} file @param {number} place */
const tooLarge = ({ name, size }, place) => Promise.resolve(place >= MAX_FILES
  ? text("outlook.tooMany", { file: name }) : text("outlook.tooLarge", { file: name, size: decimal(size / 1e6, 0) }));

/** What is left of HTML without its tags; only to tell an empty mail. @param {string} html */
const wordsOf = (html) => html.replaceAll(/<style[\s\S]*?<\/style>|<[^>]*>|&nbsp;/gi, "").trim();

/** @param {any[] | undefined} people */
const addressesOf = (people) => (people ?? []).map(({ displayName, emailAddress }) =>
  displayName && displayName !== emailAddress ? `"${displayName.replaceAll(/["\\]/g, "")}" <${emailAddress}>` : emailAddress).filter(Boolean);

/** @param {Record<string, any>} values */
const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));

/** @param {string} content */
const base64 = (content) => btoa(String.fromCharCode(...new TextEncoder().encode(content)));
