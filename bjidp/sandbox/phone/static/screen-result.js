// How it ended: one picture, one sentence, one main button.

import { boxes } from "./code.js";
import { busy, h } from "./dom.js";
import { icon } from "./icons.js";

const PICTURES = { good: "tick", stop: "shield", warn: "warning", bad: "cross", time: "clock" };

export function result(phone, { kind, title, text, digits, hint, actions }) {
  return {
    title: "京通",
    body: [
      h(
        "div",
        { class: "result", role: "status" },
        h("span", { class: `result-mark ${kind}`, "aria-hidden": "true" }, icon(PICTURES[kind])),
        h("h1", { class: "centre" }, title),
        h("p", { class: "lead centre" }, text),
        digits ? boxes(digits) : null,
        hint ? h("p", { class: "hint centre" }, hint) : null,
      ),
    ],
    footer: h(
      "div",
      { class: "choices" },
      actions.map(([words, run, tone = ""], index) => {
        const button = h("button", { type: "button", class: `${index === 0 ? "primary" : "plain"} ${tone}` }, words);
        button.addEventListener("click", () => busy(button, words, async () => run()));
        return button;
      }),
    ),
  };
}
