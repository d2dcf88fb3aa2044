import { spoken, text } from "../texts.js";

/** Put what a page holds from the start into its language: the text of every element that names one. @param {Document} page */
export function putIntoWords(page) {
  page.documentElement.lang = spoken();
  for (const named of page.querySelectorAll("[data-text]")) named.textContent = text(/** @type {import("../texts.js").Key} */ (named.getAttribute("data-text")));
}
