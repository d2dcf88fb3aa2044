import assert from "node:assert/strict";
import { test } from "node:test";

import { Outlook, OutlookError } from "../src/outlook.js";

const succeeded = (/** @type {any} */ value) => ({ status: "succeeded", value });

/** As much of Office.js as is used; `item` and its calls can be changed. @param {any} [item] @param {number} [newest]  minor version of the requirement set "Mailbox" */
function office(item = {}, newest = 13) {
  const whole = item && {
    itemId: "1", subject: "Hello", from: { displayName: "Ann Lee", emailAddress: "ann@firm.example" }, to: [], cc: [], attachments: [],
    body: { getAsync: (/** @type {string} */ _, /** @type {any} */ done) => done(succeeded("<p>I am Ann Lee</p>")) },
    getAttachmentContentAsync: (/** @type {string} */ id, /** @type {any} */ done) => done(succeeded({ format: "base64", content: btoa(id) })), ...item,
  };
  return {
    CoercionType: { Html: "html" }, EventType: { ItemChanged: "itemChanged" }, onReady: async () => ({ host: "Outlook" }),
    context: {
      requirements: { isSetSupported: (/** @type {string} */ _, /** @type {string} */ set) => Number(set.split(".")[1]) <= newest },
      mailbox: { item: whole, userProfile: { displayName: "Dana", emailAddress: "dana@well.example" } },
    },
  };
}

const quick = { patience: 20 };
const file = (/** @type {string} */ name, /** @type {number} */ size, more = {}) => ({ id: name, name, size, contentType: "application/pdf", isInline: false, ...more });

test("a mail is read as the contract wants it", async () => {
  const to = [{ displayName: "Whitlock, Dana", emailAddress: "dana@well.example" }, { displayName: "x@y.example", emailAddress: "x@y.example" }];
  const mail = await new Outlook(office({ to, internetMessageId: "<1@x>", attachments: [file("cv.pdf", 10), file("logo.png", 9, { isInline: true })] })).readMail();

  assert.equal(mail.sender_email, "ann@firm.example");
  assert.equal(mail.body_type, "html");
  assert.deepEqual(mail.to, ['"Whitlock, Dana" <dana@well.example>', "x@y.example"]);
  assert.deepEqual(mail.user_context, { name: "Dana", email: "dana@well.example" });
  assert.deepEqual(mail.attachments.map((/** @type {any} */ { filename }) => filename), ["cv.pdf"]);
  assert.equal(/** @type {any} */ (mail).internet_message_id, "<1@x>");
});

test("a callback that never comes is tried once more, then said", async () => {
  let asked = 0;
  const silent = office({ body: { getAsync: () => (asked += 1) } });

  await assert.rejects(new Outlook(silent, quick).readMail(), /did not hand over the mail’s text in time/);
  assert.equal(asked, 2);
});

test("an error that passes costs nothing", async () => {
  let asked = 0;
  const getAsync = (/** @type {string} */ _, /** @type {any} */ done) => done(++asked === 1 ? { status: "failed", error: { code: 9020 } } : succeeded("text"));

  assert.equal((await new Outlook(office({ body: { getAsync } }), quick).readMail()).body, "text");
});

for (const [what, item, sentence] of /** @type {[string, any, RegExp][]} */ ([
  ["no mail", null, /No mail is open/],
  ["an encrypted mail", { itemClass: "IPM.Note.SMIME" }, /encrypted/],
  ["a mail without text", { body: { getAsync: (/** @type {any} */ _, /** @type {any} */ done) => done(succeeded(" ")) } }, /no text/],
  ["error 9020", { body: { getAsync: (/** @type {any} */ _, /** @type {any} */ done) => done({ status: "failed", error: { code: 9020 } }) } }, /error 9020/],
]))
  test(`${what} is said in a sentence`, async () => {
    const refused = await new Outlook(office(item), quick).readMail().catch((/** @type {unknown} */ error) => error);

    assert.ok(refused instanceof OutlookError);
    assert.match(refused.message, sentence);
  });

test("another mail that came meanwhile is not taken for the first", async () => {
  const there = office();
  there.context.mailbox.item.body.getAsync = (/** @type {string} */ _, /** @type {any} */ done) => {
    there.context.mailbox.item = { ...there.context.mailbox.item, itemId: "2" };
    done(succeeded("text"));
  };

  await assert.rejects(new Outlook(there).readMail(), /Another mail was opened/);
});

test("what does not fit is left out by name, the rest goes along", async () => {
  const attachments = [file("small.pdf", 1000), file("huge.pdf", 25_000_000), file("other.pdf", 1000)];
  const mail = await new Outlook(office({ attachments })).readMail();

  assert.deepEqual(mail.attachments.map((/** @type {any} */ { filename }) => filename), ["small.pdf", "other.pdf"]);
  assert.match(mail.leftOut.join(), /huge\.pdf.*25 MB/);
});

test("an Outlook that hands out no attachments still hands out the mail", async () => {
  const mail = await new Outlook(office({ attachments: [file("cv.pdf", 10)] }, 5)).readMail();

  assert.deepEqual(mail.attachments, []);
  assert.equal(mail.leftOut.length, 1);
});

test("without Office.js, and outside Outlook, there is a sentence", async () => {
  await assert.rejects(new Outlook(undefined).ready(), /could not be loaded/);
  await assert.rejects(new Outlook({ ...office(), onReady: () => new Promise(() => {}) }, quick).ready(), /in time/);
  await assert.rejects(new Outlook({ ...office(), onReady: async () => ({ host: null }) }).ready(), /made for Outlook/);
});
