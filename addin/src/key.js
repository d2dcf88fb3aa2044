// The key of a page that has no other credential: asked for once, kept where the page says, sent as a header only.

import { text } from "./texts.js";

const KEY = "wellintake.key";

export class KeyForm {
  /**
   * @param {import("./server.js").Server} server @param {HTMLFormElement} form  holds one password field
   * @param {{storage: Storage, isDemo: boolean, onKey: () => void}} page  `isDemo`: the page came with a token of its own
   */
  constructor(server, form, { storage, isDemo, onKey }) {
    this.server = server;
    this.form = form;
    this.field = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    this.storage = storage;
    this.isDemo = isDemo;
    if (!isDemo) server.apiKey = keptIn(storage);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      server.apiKey = this.field.value.trim();
      this.field.value = "";
      keepIn(storage, server.apiKey);
      form.hidden = true;
      onKey();
    });
  }

  get isMissing() {
    return !this.isDemo && !this.server.apiKey;
  }

  ask() {
    this.form.hidden = false;
    this.field.focus();
  }

  /** The server does not take the credential. @returns {string} what to say about it */
  refuse() {
    if (this.isDemo) return text("key.tooOld");
    this.server.apiKey = null;
    keepIn(this.storage, null);
    this.ask();
    return text("key.unknown");
  }
}

/** @param {Storage} storage */
export function keptIn(storage) {
  try {
    return storage.getItem(KEY);
  } catch {
    return null;  // storage may be switched off in a frame of another site
  }
}

/** @param {Storage} storage @param {string | null} key */
function keepIn(storage, key) {
  try {
    key ? storage.setItem(KEY, key) : storage.removeItem(KEY);
  } catch {}  // then it is asked for again next time
}
