// Where the words of a value stand in the mail. The server counts Unicode code points, JavaScript UTF-16 units.

/** @typedef {{key: string, start: number, end: number}} Mark  half-open, in code points */

/**
 * The UTF-16 index of each code point offset; `offsets` ascend. Offsets beyond the end give the end.
 * @param {string} text @param {readonly number[]} offsets @returns {number[]}
 */
export function utf16Indices(text, offsets) {
  let point = 0;
  let index = 0;
  return offsets.map((offset) => {
    for (; point < offset && index < text.length; point++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
    return index;
  });
}

/**
 * Cut a text at the borders of its marks: pieces in order, each with the keys of the marks that cover it.
 * @param {string} text @param {readonly Mark[]} marks @returns {{text: string, keys: string[]}[]}
 */
export function cut(text, marks) {
  const borders = [...new Set(marks.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const indices = utf16Indices(text, borders);
  const pieces = [{ text: text.slice(0, indices[0] ?? text.length), keys: /** @type {string[]} */ ([]) }];
  borders.forEach((border, i) => {
    const keys = marks.filter(({ start, end }) => start <= border && border < end).map(({ key }) => key);
    pieces.push({ text: text.slice(indices[i], indices[i + 1] ?? text.length), keys });
  });
  return pieces.filter((piece) => piece.text);
}
