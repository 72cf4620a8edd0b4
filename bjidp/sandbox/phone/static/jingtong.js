// 京通's side of the mini-program API: the calls, the session's tokens, one refresh when a token ran out.
// Tokens live in this tab alone (sessionStorage): a reload keeps the login, a second tab is a second phone.

import { call, Lost, pause, Problem } from "./wire.js";

const KEPT = "bjidp.phone";
const AGAIN_AFTER = 700;

/** The session is over: the person has to log in again. */
export class SessionEnded extends Error {
  constructor() {
    super("session ended");
    this.code = "session_ended";
  }
}

export class Jingtong {
  #session;
  #refreshing = null;

  constructor(storage) {
    this.storage = storage;
    this.#session = read(storage);
  }

  /** {platform, user, account, ...} of the person logged in, or null. */
  get session() {
    return this.#session;
  }

  /** Log in with the platform's code: the answer's `status` says what comes next. */
  async signIn(platform, user, code) {
    const answer = await call("POST", relay(platform, "session"), { body: { code } });
    return this.#arrived(platform, user, answer);
  }

  /** Start the registration's face check; returns what the platform's camera call needs. */
  async register(platform, facts) {
    return (await call("POST", relay(platform, "registration"), { body: facts })).face;
  }

  /** Ask what came of the face check. */
  async complete(platform, user, registration) {
    const answer = await call("POST", relay(platform, "registration/complete"), { body: { registration } });
    return this.#arrived(platform, user, answer);
  }

  /** Say whether the account that was found is the person's own; returns {status: "code_sent", wait} when a code goes out. */
  async claim(platform, user, body) {
    // What took effect before an answer was lost is found done.
    const answer = await retried(() => call("POST", relay(platform, "registration/claim"), { body }));
    return this.#arrived(platform, user, answer);
  }

  /** Bind the number behind what the platform's phone button gave; returns {phone}. */
  bind(payload) {
    return this.#authorised("POST", `${this.#session?.platform}/phone`, payload);
  }

  /** The account, masked. */
  async account() {
    const account = await this.#authorised("GET", "account");
    this.#keep({ ...this.#session, account: { ...this.#session.account, ...account } });
    return account;
  }

  /** End the session here and on the server; here even when the server cannot be reached. */
  async signOut() {
    try {
      await this.#authorised("DELETE", "session");
    } catch (error) {
      if (!(error instanceof SessionEnded || error instanceof Lost)) throw error;
    } finally {
      this.#keep(null);
    }
  }

  /** Take the ticket of a QR text; `scene` says how the text came to the phone. */
  scan(text, scene) {
    return this.#authorised("POST", "qr/scan", { text, scene });
  }

  /** Start the face check that a ticket asks for; returns what the platform's camera call needs. */
  async face(ticket, confirmToken) {
    return (await this.#authorised("POST", "qr/face", { ticket, confirm_token: confirmToken })).face;
  }

  /** Confirm; returns {status, code}. */
  confirm(ticket, confirmToken) {
    return this.#settled("qr/confirm", { ticket, confirm_token: confirmToken });
  }

  /** Refuse; `report` tells the platform that somebody tried to trick the person. */
  reject(ticket, confirmToken, report) {
    return this.#settled("qr/reject", { ticket, confirm_token: confirmToken, report });
  }

  /** Take a confirmation back; saying it twice is as good as once. */
  undo(ticket, report) {
    return retried(() => this.#authorised("POST", "qr/undo", { ticket, report }));
  }

  /** Everywhere the account is logged in. */
  async sessions() {
    return (await this.#authorised("GET", "sessions")).sessions;
  }

  /** End one of them. */
  endSession(id) {
    return this.#authorised("DELETE", `sessions/${id}`);
  }

  // An answer may be lost after the call took effect. The same call is sent once more; the server then repeats its
  // first answer inside ticket_closed, which counts as success.
  async #settled(tail, body) {
    try {
      return await retried(() => this.#authorised("POST", tail, body));
    } catch (error) {
      const first = error instanceof Problem && error.code === "ticket_closed" ? firstAnswer(error.details) : null;
      if (first) return first;
      throw error;
    }
  }

  async #authorised(method, tail, body) {
    if (!this.#session) throw new SessionEnded();
    const used = this.#session.accessToken;
    try {
      return await call(method, relay(tail), { body, token: used });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
    }
    if (this.#session?.accessToken === used) await this.#refresh();
    try {
      return await call(method, relay(tail), { body, token: this.#session.accessToken });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      this.#keep(null);
      throw new SessionEnded();
    }
  }

  // One refresh at a time: a used refresh token presented twice ends the whole family.
  #refresh() {
    this.#refreshing ??= this.#renewed().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #renewed() {
    try {
      const pair = await retried(() =>
        call("POST", relay("session/refresh"), { body: { refresh_token: this.#session.refreshToken } }),
      );
      this.#keep({ ...this.#session, accessToken: pair.access_token, refreshToken: pair.refresh_token });
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500 || error.status === 429) throw error;
      this.#keep(null);
      throw new SessionEnded();
    }
  }

  #arrived(platform, user, answer) {
    if (answer.status === "ok") {
      this.#keep({
        platform,
        user,
        account: answer.account,
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token,
      });
    }
    return answer;
  }

  #keep(session) {
    this.#session = session;
    if (session) this.storage.setItem(KEPT, JSON.stringify(session));
    else this.storage.removeItem(KEPT);
  }
}

function relay(...parts) {
  return `/phone/relay/${parts.join("/")}`;
}

async function retried(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    await pause(AGAIN_AFTER);
    return work();
  }
}

function firstAnswer(details) {
  return typeof details.answer?.status === "string" ? details.answer : null;
}

function read(storage) {
  try {
    const kept = JSON.parse(storage.getItem(KEPT));
    return kept?.accessToken && kept?.refreshToken && kept?.platform ? kept : null;
  } catch {
    return null;
  }
}
