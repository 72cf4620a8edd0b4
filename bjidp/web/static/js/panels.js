// The states of the QR card: one panel at a time, its words filled in, read out, and the focus kept with the person.

export class Panels {
  #root;
  #live;
  #shown;

  constructor(root) {
    this.#root = root;
    this.#live = root.querySelector("[data-live]");
    this.#shown = root.querySelector("[data-panel]:not([data-off])");
  }

  /** Name of the panel that is shown. */
  get shown() {
    return this.#shown.dataset.panel;
  }

  /** Show a panel; nothing happens when it is shown already. */
  show(name) {
    if (name === this.shown) return;
    const next = this.#root.querySelector(`[data-panel="${name}"]`);
    const followed = this.#shown.contains(document.activeElement);
    next.removeAttribute("data-off");
    this.#shown.setAttribute("data-off", "");
    this.#shown = next;
    this.say([...next.querySelectorAll("[data-say]")].map((part) => part.textContent.trim()).join("。"));
    if (followed) (next.querySelector("input, button, a") ?? this.#heading(next)).focus();
  }

  /** Read words out. */
  say(words) {
    this.#live.textContent = words;
  }

  /** Set the text of every slot of a name. */
  fill(slot, text) {
    for (const place of this.#root.querySelectorAll(`[data-slot="${slot}"]`)) {
      // A slot with a closed list of words says one of them and nothing else.
      place.textContent = "closed" in place.dataset ? (place.getAttribute(`data-word-${text}`) ?? "") : text;
    }
  }

  #heading(panel) {
    const heading = panel.querySelector("h2");
    heading.tabIndex = -1;
    return heading;
  }
}
