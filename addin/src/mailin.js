// A mail on its way in: from what the user typed or dropped to the e-mail of contract §3.

/** What the server takes at most is 20 MB of request; Base64 makes 3 bytes 4. */
export const MAX_FILE_BYTES = 14_500_000;

/** "Maya Lindqvist <maya@x.example>" or a bare address. @param {string} text */
export function senderFrom(text) {
  const match = /^\s*"?([^"<]*?)"?\s*<\s*([^<>]+?)\s*>\s*$/.exec(text);
  if (match) return { sender_email: match[2], ...(match[1] ? { sender_name: match[1] } : {}) };
  const bare = text.trim();
  return bare.includes("@") ? { sender_email: bare } : { sender_email: "", ...(bare ? { sender_name: bare } : {}) };
}

/** @param {{from: string, subject: string, body: string}} typed */
export const emailFromText = ({ from, subject, body }) => ({ ...senderFrom(from), subject: subject.trim(), body, mode: "review" });

/** The whole .eml or .msg, byte by byte. @param {Blob} file */
export async function emailFromFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return { raw_base64: btoa(text), mode: "review" };
}

/** Why a file is not taken, or null. @param {{name: string, size: number}} file */
export function objectionTo({ name, size }) {
  if (!/\.(eml|msg)$/i.test(name)) return "Please choose a mail saved as .eml or .msg.";
  if (!size) return "This file is empty.";
  return size > MAX_FILE_BYTES ? "This mail is larger than 14.5 MB, the most that can be read." : null;
}
