// A short coloured message: what to know, or what went wrong.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const PICTURES = { good: "tick", warn: "warning", care: "shield", bad: "warning" };

/** A message of a kind (`good`, `warn`, `care`, `bad`); the caller decides whether its place is announced. */
export function note(kind, ...words) {
  return h("div", { class: `note ${kind}` }, icon(PICTURES[kind]), h("div", {}, words));
}

/** What `explain` found, as a message. */
export function told({ title, text }) {
  return note("bad", h("strong", {}, title), h("br"), text);
}
