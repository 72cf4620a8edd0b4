// What shows a QR code near the phone and tells its text, as a lens would see it: the page beside it in the demo, and
// pages of the identity server in other windows of this browser.

const SIGHT = 6_000; // Milliseconds after which the last frame seen says nothing about the screen any more.
const LONGEST = 512;

class Sight {
  #text = null;
  #at = -Infinity;

  sees(text) {
    this.#text = typeof text === "string" && text.length <= LONGEST ? text : null;
    this.#at = performance.now();
  }

  /** The text that is shown, or null when there is no code just now. */
  look() {
    return performance.now() - this.#at <= SIGHT ? this.#text : null;
  }
}

export class Neighbour {
  #beside = new Sight();
  #elsewhere = new Sight();
  #told = () => {};

  /** `page` is the window this phone runs in; frames are taken from its parent of the same origin and nobody else. */
  constructor(page) {
    this.present = page.parent !== page;
    // Only pages of the phone's own origin speak here: those that /phone/beside is framed by are the server's.
    new BroadcastChannel("bjidp-beside").addEventListener("message", ({ data }) => {
      this.#elsewhere.sees(data);
      this.#told();
    });
    if (!this.present) return;
    page.addEventListener("message", (event) => {
      if (event.source !== page.parent || event.origin !== page.location.origin) return;
      if (event.data?.type === "bjidp-frame") this.#beside.sees(event.data.text);
    });
  }

  /** The text on the page beside, or null when it shows no code just now. */
  look() {
    return this.#beside.look();
  }

  /** The text in another window, or null when none shows a code just now. */
  lookElsewhere() {
    return this.#elsewhere.look();
  }

  /** Call `listener` whenever another window shows a code, until the next one listens. */
  whenElsewhere(listener) {
    this.#told = listener;
  }
}
