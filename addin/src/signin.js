// Whoever is signed in to Office is signed in here, where the server has been told of a Microsoft Entra tenant: nested app
// authentication. Office itself holds the session; a token is asked for when it is needed, and kept in memory only.
// https://learn.microsoft.com/office/dev/add-ins/develop/enable-nested-app-authentication-in-your-add-in

import { text } from "./texts.js";

const PATIENCE_MS = 8000;

/** @typedef {{authority: string, clientId: string, scope: string}} Tenant  `authority` with the tenant, `scope` with the application */
/** @typedef {{accessToken: string}} Result */
/** @typedef {{acquireTokenSilent: (request: object) => Promise<Result>, ssoSilent: (request: object) => Promise<Result>, acquireTokenPopup: (request: object) => Promise<Result>}} Client
 *   as much of MSAL's `IPublicClientApplication` as is used */
/** @typedef {{createNestablePublicClientApplication: (configuration: object) => Promise<Client>}} Library */

/** The user did not sign in, or could not. */
export class SignInError extends Error {
  isExpected = true;
}

export class SignIn {
  /** @type {Promise<Client> | null} */
  #client = null;

  /**
   * @param {Tenant} tenant @param {import("./outlook.js").Outlook} outlook
   * @param {{load?: () => Promise<Library>, patience?: number}} [options] ms for what needs nobody
   */
  constructor(tenant, outlook, { load = library, patience = PATIENCE_MS } = {}) {
    this.tenant = tenant;
    this.outlook = outlook;
    this.load = load;
    this.patience = patience;
  }

  /** Can this Outlook sign anybody in? One that cannot has no session to lend; then a key is asked for. */
  get isPossible() {
    return this.outlook.signsIn;
  }

  /** A token without asking anybody; null where somebody has to be asked, or it cannot be had. @returns {Promise<string | null>} */
  async quietly() {
    if (!this.isPossible) return null;
    const request = this.#request();
    const ask = async () => {
      const client = await this.#started();
      return client.acquireTokenSilent(request).catch(() => client.ssoSilent(request));
    };
    const { accessToken } = await within(this.patience, ask()).catch(() => ({ accessToken: null }));
    return accessToken || null;
  }

  /** A token, with Microsoft's window if it must be; on a press of the user only. Throws `SignInError`. @returns {Promise<string>} */
  async openly() {
    try {
      return (await this.quietly()) ?? (await (await this.#started()).acquireTokenPopup(this.#request())).accessToken;
    } catch (error) {
      throw new SignInError(text("signIn.failed"), { cause: error });
    }
  }

  #request() {
    return { scopes: [this.tenant.scope], loginHint: this.outlook.user.email };
  }

  /** @returns {Promise<Client>} */
  #started() {
    const { clientId, authority } = this.tenant;
    // In memory only: Office holds the session, and a token on the disk would be one to steal.
    const configuration = { auth: { clientId, authority }, cache: { cacheLocation: "memoryStorage" } };
    this.#client ??= this.load().then((msal) => msal.createNestablePublicClientApplication(configuration));
    this.#client.catch(() => (this.#client = null));  // a script that did not come is asked for again
    return this.#client;
  }
}

/** Loaded only where it is used. @returns {Promise<Library>} */
async function library() {
  const global = /** @type {any} */ (globalThis);
  if (!global.msal) await import("./vendor/msal.js");
  return global.msal;
}

/** @template T @param {number} ms @param {Promise<T>} work @returns {Promise<T>} */
function within(ms, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, ms)));
  return /** @type {Promise<T>} */ (Promise.race([work, late])).finally(() => clearTimeout(timer));
}
