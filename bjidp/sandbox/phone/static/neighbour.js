// The page beside the phone in the demo: it shows a QR code and tells its text, as a lens would see it.

const SIGHT = 6_000; // Milliseconds after which the last frame seen says nothing about the screen any more.
const LONGEST = 512;

export class Neighbour {
  #text = null;
  #seenAt = 0;

  /** `page` is the window this phone runs in; frames are taken from its parent of the same origin and nobody else. */
  constructor(page) {
    this.present = page.parent !== page;
    if (!this.present) return;
    page.addEventListener("message", (event) => {
      if (event.source !== page.parent || event.origin !== page.location.origin) return;
      if (event.data?.type !== "bjidp-frame") return;
      const text = event.data.text;
      this.#text = typeof text === "string" && text.length <= LONGEST ? text : null;
      this.#seenAt = performance.now();
    });
  }

  /** The text on the page beside, or null when it shows no code just now. */
  look() {
    return performance.now() - this.#seenAt <= SIGHT ? this.#text : null;
  }
}
