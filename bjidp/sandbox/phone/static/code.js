// The two digits of a confirmed login: kept for as long as the computer takes them, so that whoever has left their
// screen too early finds them again, after a reload too.

import { h } from "./dom.js";

const KEPT = "bjidp.phone.code";
const LIFE = 90_000; // Milliseconds: the time to redeem where a code is asked for (wire.md, section 2).

export class Code {
  constructor(storage) {
    this.storage = storage;
  }

  /** Keep the digits that the login of `session`, confirmed just now, was answered with. */
  keep(digits, session) {
    this.storage.setItem(KEPT, JSON.stringify({ digits, owner: owner(session), until: Date.now() + LIFE }));
  }

  /** Forget them: another login is under way. */
  drop() {
    this.storage.removeItem(KEPT);
  }

  /** {digits, left} for the person they were given to, `left` in seconds; null when there are none any more. */
  of(session) {
    const kept = JSON.parse(this.storage.getItem(KEPT));
    const left = kept?.owner === owner(session) ? Math.ceil((kept.until - Date.now()) / 1000) : 0;
    if (left > 0) return { digits: kept.digits, left };
    this.drop();
    return null;
  }
}

/** The digits in boxes; read aloud one by one. */
export function boxes(digits) {
  return h(
    "p",
    { class: "code" },
    h("span", { class: "hidden" }, [...digits].join(" ")),
    [...digits].map((digit) => h("span", { class: "code-digit digits", "aria-hidden": "true" }, digit)),
  );
}

/** The digits with the time they have left, and a function that ends the counting; null when there are none. */
export function pending(phone) {
  const first = phone.code.of(phone.jingtong.session);
  if (!first) return { card: null, stop: () => {} };
  const left = h("span", { class: "digits" }, String(first.left));
  const card = h(
    "section",
    { class: "card pending", "aria-labelledby": "pending-title" },
    h("h2", { id: "pending-title" }, "电脑上要输入的两位数字"),
    boxes(first.digits),
    h("p", { class: "hint" }, "还剩 ", left, " 秒。已经输入过，就不用管它。"),
  );
  const timer = setInterval(() => {
    const now = phone.code.of(phone.jingtong.session);
    if (now) left.textContent = String(now.left);
    else {
      clearInterval(timer);
      card.remove();
    }
  }, 250);
  return { card, stop: () => clearInterval(timer) };
}

function owner({ platform, user }) {
  return `${platform} ${user}`;
}
