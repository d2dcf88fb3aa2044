/**
 * An element with attributes and children. Text always goes in as text: nothing of a mail is ever parsed as HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string | number | boolean | null | undefined | EventListener>} [attributes]
 *   `text` is the text, `on…` a listener, true an empty attribute; null, undefined and false are left out
 * @param {...(Node | string | null)} children @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = String(value);
    else if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A link only when it leads to a web page; a `javascript:` address from anywhere becomes plain text.
 * @param {string | null} url @param {string} text @param {Record<string, string>} [attributes] */
export function link(url, text, attributes = {}) {
  const safe = url && /^(https?:\/\/|\/(?!\/))/.test(url);
  return safe ? element("a", { href: url, target: "_blank", rel: "noopener", text, ...attributes }) : element("span", { text, ...attributes });
}

/** Change the DOM only where it differs: no flicker, no lost selection. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
