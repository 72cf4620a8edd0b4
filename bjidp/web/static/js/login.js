// The QR card of the login page, and of pages that verify who somebody is: what the channel says becomes what the person
// sees.

import { fetchBasis } from "./basis.js";
import { Channel } from "./channel.js";
import { joinDigits, typedDigits } from "./digits.js";
import { frameKey, frameNumber, frameText } from "./frame.js";
import { Panels } from "./panels.js";
import { redeem } from "./redeem.js";
import { enhanceTabs } from "./tabs.js";

const SLOW = 4_000; // Milliseconds until a login that is not through yet is said to take longer than usual.

class QrCard {
  #root;
  #scan;
  #panels;
  #channel;
  #basis = null;
  #ticket = null; // the ticket message on show, with its signing key and when it arrived
  #deadline = 0; // of the phase on show, by the page's own monotonic clock
  #frame = null;
  #grant = null;
  #redeeming = false;
  #over = false; // the server said that the login has happened
  #retry = null;
  #clock = null;
  #slow = null;

  constructor(root) {
    this.#root = root;
    this.#scan = root.querySelector("#scan");
    this.#panels = new Panels(this.#scan);
    this.#channel = new Channel(root.dataset.channel, root.dataset.flow);
  }

  async start() {
    if (!globalThis.crypto?.subtle) return this.#plain();
    this.#channel.addEventListener("message", ({ detail }) => this.#message(detail));
    this.#channel.addEventListener("status", ({ detail }) => this.#status(detail));
    this.#listen();
    this.#channel.start();
    setInterval(() => this.#tick(), 250);
    document.addEventListener("visibilitychange", () => this.#tick());
    try {
      this.#basis = await fetchBasis(this.#root.dataset.basis);
      this.#draw();
    } catch {
      this.#channel.stop();
      this.#plain();
    }
  }

  #message(message) {
    if (this.#redeeming) return;
    if (message.expires_in !== undefined) this.#deadline = performance.now() + 1_000 * message.expires_in;
    switch (message.type) {
      case "ticket":
        return this.#showTicket(message);
      case "scanned":
        this.#panels.fill("who", message.who);
        this.#panels.fill("platform", message.platform);
        this.#show("scanned");
        return this.#tick();
      case "approved":
        return this.#approved(message);
      case "rejected":
        return this.#show(message.reason === "code" ? "wrong-code" : "rejected");
      case "expired":
        if (!message.renewed) this.#show("expired");
    }
  }

  #status({ status, seconds }) {
    if (status === "done") {
      this.#over = true;
      if (!this.#redeeming) location.reload();
    } else if (!this.#redeeming) {
      if (seconds) this.#countDown(seconds);
      this.#retry = () => this.#channel.reconnect();
      this.#show({ superseded: "elsewhere", deadline: "expired" }[status] ?? status);
    }
  }

  async #showTicket(message) {
    const arrived = performance.now();
    const key = await frameKey(message.key);
    this.#ticket = { ...message, arrived, signing: key };
    this.#grant = null;
    this.#frame = null;
    clearInterval(this.#clock); // nothing is left to be tried again
    await this.#draw();
    this.#show("waiting");
  }

  async #draw() {
    const ticket = this.#ticket;
    if (!ticket || !this.#basis) return;
    const age = ticket.elapsed + (performance.now() - ticket.arrived) / 1_000;
    const number = frameNumber(age, ticket.step);
    if (this.#frame === number) return;
    this.#frame = number;
    const text = await frameText(ticket, ticket.signing, number);
    if (ticket !== this.#ticket) return;
    const code = this.#scan.querySelector("[data-code]");
    const quiet = 4;
    const side = this.#basis.size + 2 * quiet;
    code.setAttribute("viewBox", `${-quiet} ${-quiet} ${side} ${side}`);
    code.firstElementChild.setAttribute("d", this.#basis.path(text));
    document.dispatchEvent(new CustomEvent("bjidp:frame", { detail: { text } }));
  }

  /** Four times a second: the frame that is due, the ring, the seconds left. */
  #tick() {
    const left = Math.max(0, (this.#deadline - performance.now()) / 1_000);
    if (this.#panels.shown === "waiting") {
      const whole = this.#ticket.elapsed + this.#ticket.expires_in;
      this.#scan.querySelector("[data-ring]").setAttribute("stroke-dasharray", `${(100 * left) / whole} 100`);
      // The next ticket comes before this one ends. If none came, the connection is gone, whatever it seems.
      if (left === 0) {
        this.#show("lost");
        this.#channel.reconnect();
      } else {
        this.#draw();
      }
    }
    if (this.#panels.shown === "scanned") this.#panels.fill("left", String(Math.ceil(left)));
  }

  #approved({ grant, code_required: codeRequired }) {
    if (grant === this.#grant && this.#panels.shown === "code") return;
    this.#grant = grant;
    if (!codeRequired) {
      this.#show("confirmed");
      this.#redeem(null);
      return;
    }
    this.#codeError(null);
    this.#show("code");
    this.#boxes[0].focus();
  }

  async #redeem(code) {
    if (this.#redeeming) return;
    this.#redeeming = true;
    this.#entering(true);
    const { outcome, next, tries, seconds } = await redeem(this.#grant, code);
    if (outcome === "entered") return location.replace(next);
    if (outcome === "unknown" && !this.#over) {
      // Another tab of this browser may have been faster: then the channel says so in a moment.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    this.#redeeming = false;
    this.#entering(false);
    if (this.#over) return location.reload();
    switch (outcome) {
      case "wrong":
        return this.#wrong(tries);
      case "busy":
      case "down":
        this.#retry = () => this.#redeem(code);
        this.#countDown(seconds, this.#retry);
        return this.#show(outcome);
      case "unknown":
        return this.#show("expired");
      case "foreign":
        return this.#show("ended");
      default:
        this.#channel.stop();
        return this.#show(outcome);
    }
  }

  /** Show that the answer is being waited for, and more so when it takes long. */
  #entering(on) {
    clearTimeout(this.#slow);
    const button = this.#scan.querySelector("[data-enter]");
    const slow = this.#scan.querySelector("[data-slow]");
    slow.hidden = true;
    [button.textContent, button.dataset.entering] = [button.dataset.entering, button.textContent];
    // Not `disabled`, which would take the focus from whoever pressed it.
    button.setAttribute("aria-disabled", String(on));
    if (!on) return;
    if (this.#panels.shown === "code") this.#panels.say(button.textContent);
    this.#slow = setTimeout(() => {
      slow.hidden = false;
      this.#panels.say(slow.textContent);
    }, SLOW);
  }

  #wrong(tries) {
    if (tries < 1) return this.#show("wrong-code");
    this.#panels.fill("tries", String(tries));
    this.#codeError("wrong");
    this.#show("code");
    this.#boxes.forEach((box) => (box.value = ""));
    this.#boxes[0].focus();
  }

  get #boxes() {
    return [...this.#scan.querySelectorAll("[data-code-form] input")];
  }

  #codeError(name) {
    for (const error of this.#scan.querySelectorAll("[data-error]")) error.hidden = error.dataset.error !== name;
    for (const box of this.#boxes) box.setAttribute("aria-invalid", String(name !== null));
  }

  #listen() {
    const acts = {
      renew: () => this.#channel.renew(),
      reconnect: () => this.#channel.reconnect(),
      retry: () => this.#retry?.(),
    };
    this.#scan.addEventListener("click", ({ target }) => acts[target.closest("[data-act]")?.dataset.act]?.());
    joinDigits(this.#boxes);
    this.#scan.querySelector("[data-code-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      const code = typedDigits(this.#boxes);
      if (code) return this.#redeem(code);
      this.#codeError("incomplete");
      this.#boxes.find((box) => !box.value)?.focus();
    });
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  }

  #countDown(seconds, act) {
    clearInterval(this.#clock);
    const end = performance.now() + 1_000 * seconds;
    const show = () => {
      const left = Math.ceil((end - performance.now()) / 1_000);
      this.#panels.fill("pause", String(Math.max(0, left)));
      if (left > 0) return;
      clearInterval(this.#clock);
      act?.();
    };
    this.#clock = setInterval(show, 250);
    show();
  }

  /** Show a state; one in which something happened brings its tab to the front. */
  #show(name) {
    this.#panels.show(name);
    if (["scanned", "code", "confirmed"].includes(name)) {
      for (const tab of ["personal", "scan"]) this.#root.querySelector(`[data-shows="${tab}"][aria-selected="false"]`)?.click();
    }
  }

  /** The picture that needs neither script nor WebCrypto. */
  #plain() {
    const { content } = this.#scan.querySelector("[data-plain]");
    for (const panel of this.#scan.querySelectorAll("[data-panel]")) panel.remove();
    this.#scan.append(content.cloneNode(true));
    for (const hint of document.querySelectorAll("[data-plain-words]")) hint.textContent = hint.dataset.plainWords;
  }
}

const card = document.querySelector("[data-card]");
const qr = new QrCard(card);
enhanceTabs(card);

// Who came for another tab does not keep a ticket alive meanwhile.
const scanTab = () => card.querySelector("#scan:not([data-off])") && !card.querySelector("#personal[data-off]");
if (scanTab()) {
  qr.start();
} else {
  const wait = () => {
    if (!scanTab()) return;
    card.removeEventListener("bjidp:tab", wait);
    qr.start();
  };
  card.addEventListener("bjidp:tab", wait);
}
