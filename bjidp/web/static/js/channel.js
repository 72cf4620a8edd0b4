// The QR channel as a page sees it: a WebSocket that comes back by itself, or long polling where there can be none.
//
// Tells its owner two things by events: "message" (detail: a message of the server, newest state first and never an
// older one) and "status" (detail: { status, seconds? }), one of
//   lost        no connection for a moment; it comes back by itself
//   busy        too many attempts; comes back by itself after `seconds`
//   down        the server's store does not answer; comes back by itself
//   deadline    the ticket is over and the server has hung up; `renew` connects again
//   superseded  this flow was opened in newer windows; `reconnect` takes it back
//   ended       flow or session is over; only a new page helps
//   done        the login has happened; the page must load itself again

const PROTOCOL = "bjidp.qr.v1";
const PATIENCE = 4_000; // to open and to bring a message
const SILENCE = 30_000; // the server speaks every 20 s
const BREAK = 2_500; // a shorter one nobody needs to hear of
const POLL = 25; // seconds an event call waits
const TICK = 5_000; // between two looks at the clock

export class Channel extends EventTarget {
  #url;
  #flow;
  #socket = null;
  #attempt = 0;
  #polling = false;
  #losses = 0;
  #seq = -1;
  #phase = null;
  #wanted = false;
  #silent = false; // no message on this connection yet
  #heardAt = 0;
  #final = true;
  #opened = 0; // of the windows of one browser, the two opened last are served
  #timers = new Map();
  #break = null;
  #abort = null;

  constructor(url, flow) {
    super();
    this.#url = url;
    this.#flow = flow;
  }

  /** Connect for the first time and watch for sleep and lost networks. */
  start() {
    this.reconnect();
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#final || this.#status("lost"));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && Date.now() - this.#heardAt > SILENCE) this.#wake();
    });
    let last = Date.now();
    setInterval(() => {
      // Only a visible page's timers are punctual, so only there a gap means that the machine slept.
      const slept = Date.now() - last > 3 * TICK && document.visibilityState === "visible";
      last = Date.now();
      if (slept) this.#wake();
    }, TICK);
  }

  /** Connect anew, also after a final status. */
  reconnect() {
    if (this.#final) this.#opened = Date.now(); // this is the window the person wants
    this.#final = false;
    this.#connect();
  }

  /** Ask for a new ticket; a channel that was hung up connects first. */
  renew() {
    if (this.#socket?.readyState === WebSocket.OPEN && !this.#silent) {
      this.#socket.send('{"type":"renew"}');
    } else {
      this.#wanted = true;
      this.reconnect();
    }
  }

  /** Hang up and say nothing any more. */
  stop() {
    this.#final = true;
    this.#mended();
    this.#hangUp();
  }

  #wake() {
    if (!this.#final) this.#connect();
  }

  #connect() {
    this.#hangUp();
    this.#silent = true;
    const attempt = this.#attempt;
    if (!navigator.onLine) {
      this.#status("lost"); // "online" wakes the channel
    } else if (this.#polling) {
      this.#poll(attempt);
    } else {
      const socket = new WebSocket(`${this.#url}?${this.#query()}`, PROTOCOL);
      this.#socket = socket;
      this.#after("patience", PATIENCE, () => this.#fallBack());
      socket.addEventListener("message", ({ data }) => attempt === this.#attempt && this.#heard(parsed(data)));
      socket.addEventListener("close", (event) => attempt === this.#attempt && this.#closed(event));
    }
  }

  #hangUp() {
    this.#attempt++; // what an older connection still brings is ignored
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.#abort?.abort();
    this.#abort = null;
    this.#socket?.close();
    this.#socket = null;
  }

  #heard(message) {
    if (!message) return;
    this.#heardAt = Date.now();
    this.#cancel("patience");
    this.#mended();
    if (this.#socket) this.#after("silence", SILENCE, () => this.#connect());
    if (message.type === "alive") return;
    const wanted = this.#wanted && this.#silent;
    this.#silent = false;
    if (wanted) this.#wanted = false;
    if (wanted && !["ticket", "approved"].includes(message.type)) {
      if (this.#socket) this.renew();
      else return this.#end("ended");
      return;
    }
    // The same number again is the current state after a reconnect, and a ticket's clock is set anew by it.
    if (message.seq < this.#seq) return;
    this.#seq = message.seq;
    this.#phase = message.type;
    this.#tell("message", message);
  }

  #closed({ code, reason }) {
    this.#hangUp();
    switch (code) {
      case 1000:
        return this.#end("done");
      case 4003:
        return this.#end("deadline");
      case 4004:
        return this.#end("superseded");
      case 4005:
        return this.#end("ended");
      case 4029:
        this.#mended();
        return this.#pause("busy", Number.parseInt(reason, 10) || 10);
      case 1006:
        if (++this.#losses >= 2) return this.#fallBack();
        return this.#retry(500 * Math.random());
      default:
        // A restart: everyone at once would be a flood, but who has scanned is waited for.
        return this.#retry(["scanned", "approved"].includes(this.#phase) ? 0 : 5_000 * Math.random());
    }
  }

  #retry(delay) {
    this.#broken();
    this.#after("retry", delay, () => this.#connect());
  }

  #pause(status, seconds) {
    this.#after("retry", 1_000 * seconds, () => this.#connect());
    this.#status(status, seconds);
  }

  #fallBack() {
    this.#polling = true;
    this.#connect();
  }

  async #poll(attempt) {
    for (let failures = 0; attempt === this.#attempt; ) {
      try {
        const answer = await (this.#silent ? this.#askTicket() : this.#askEvent());
        const body = answer.status === 204 ? { type: "alive" } : await answer.json();
        if (attempt !== this.#attempt) return;
        if (!answer.ok) return this.#refused(answer, body);
        failures = 0;
        this.#heard(body);
      } catch {
        if (attempt !== this.#attempt) return;
        this.#broken();
        const longest = 1_000 * Math.min(2 ** failures++, 10);
        await new Promise((resolve) => this.#after("retry", longest * (0.5 + Math.random() / 2), resolve));
      }
    }
  }

  #askTicket() {
    const headers = { "Content-Type": "application/json" };
    return this.#fetch("/qr/tickets", 10, { method: "POST", headers, body: JSON.stringify({ flow: this.#flow }) });
  }

  #askEvent() {
    return this.#fetch(`/qr/events?${this.#query({ after: this.#seq, wait: POLL })}`, POLL + 10);
  }

  #query(more) {
    return new URLSearchParams({ flow: this.#flow, opened: this.#opened, ...more });
  }

  #fetch(url, seconds, options) {
    const abort = (this.#abort = new AbortController());
    this.#after("answer", 1_000 * seconds, () => abort.abort());
    return fetch(url, { ...options, signal: abort.signal });
  }

  #refused(answer, { code }) {
    const seconds = Number.parseInt(answer.headers.get("Retry-After"), 10) || 5;
    this.#mended();
    if (answer.status === 429) this.#pause("busy", seconds);
    else if (answer.status >= 500) this.#pause("down", seconds);
    else if (code === "already_signed_in") this.#end("done");
    else this.#end(code === "page_superseded" ? "superseded" : "ended");
  }

  #broken() {
    this.#break ??= setTimeout(() => this.#status("lost"), BREAK);
  }

  #mended() {
    clearTimeout(this.#break);
    this.#break = null;
  }

  #end(status) {
    this.stop();
    this.#status(status);
  }

  #status(status, seconds) {
    this.#tell("status", { status, seconds });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #after(name, delay, act) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(act, delay));
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
