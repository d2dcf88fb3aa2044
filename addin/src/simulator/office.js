// Stands in for Microsoft's Office.js inside the simulator's frames: as much of it as the add-in uses, with its faults.
// A classic script, as the real one is. The page around it holds the mails and what shall go wrong.

(() => {
  const simulator = /** @type {any} */ (window.parent).simulator;
  const succeeded = (/** @type {any} */ value) => ({ status: "succeeded", value });
  const failed = (/** @type {number} */ code) => ({ status: "failed", error: { code, name: "GenericResponseError", message: "" } });

  /** Answer later, as Outlook does; or never, or with an error, when the simulator says so.
   * @param {string} name @param {any} value @param {(result: any) => void} [done] */
  function answer(name, value, done) {
    const fault = simulator.faults[name];
    if (fault === "silent") return;
    setTimeout(() => done?.(fault ? failed(fault) : succeeded(value)), 5);
  }

  /** @param {any} mail */
  const itemOf = (mail) => mail && {
    ...mail, dateTimeCreated: mail.dateTimeCreated ? new Date(mail.dateTimeCreated) : undefined,
    attachments: mail.attachments.map((/** @type {any} */ { content: _, ...file }, /** @type {number} */ place) => ({ ...file, id: String(place) })),
    body: { getAsync: (/** @type {string} */ _, /** @type {any} */ done) => answer("body", mail.html ?? asHtml(mail.text ?? ""), done) },
    getAttachmentContentAsync: (/** @type {string} */ id, /** @type {any} */ done) =>
      answer("attachment", { content: mail.attachments[Number(id)].content, format: "base64" }, done),
    notificationMessages: { replaceAsync: (/** @type {string} */ _, /** @type {any} */ message, /** @type {any} */ done) => {
      simulator.notify(mail.itemId, message);
      answer("notification", undefined, done);
    } },
  };

  /** @param {string} text */
  function asHtml(text) {
    const holder = document.createElement("div");
    holder.textContent = text;
    return `<div>${holder.innerHTML.replaceAll("\n", "<br>")}</div>`;
  }

  /** What Office.js hands out stays what it was, once a stale pane is simulated. @type {any} */
  let stale = null;
  const item = () => (simulator.faults.stale ? (stale ??= itemOf(simulator.mail)) : (stale = null, itemOf(simulator.mail)));

  /** @type {any} */ (window).Office = {
    CoercionType: { Html: "html", Text: "text" },
    EventType: { ItemChanged: "itemChanged" },
    onReady: async (/** @type {any} */ then) => {
      const info = { host: "Outlook", platform: "OfficeOnline" };
      then?.(info);
      return info;
    },
    actions: { associate: (/** @type {string} */ name, /** @type {any} */ run) => simulator.offer(name, run) },
    context: {
      displayLanguage: simulator.language,
      requirements: { isSetSupported: (/** @type {string} */ name, /** @type {string} */ version) =>
        (name === "NestedAppAuth" ? simulator.signsIn : Number(version.split(".")[1]) <= simulator.version) },
      mailbox: {
        get item() { return item(); },
        userProfile: { displayName: "Dana Whitlock", emailAddress: "dana.whitlock@wellrecruiting.example" },
        addHandlerAsync: (/** @type {string} */ _, /** @type {() => void} */ handler) => simulator.onMail(handler),
      },
    },
  };
})();
