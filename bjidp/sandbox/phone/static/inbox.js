// The inbox: what the sandbox's SMS and mail services were given, for people.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { people } from "./sandbox.js";
import { call } from "./wire.js";

const form = document.getElementById("look");
const to = document.getElementById("to");
const state = document.getElementById("state");
const letters = document.getElementById("letters");
const RANGES = "这里的手机号是154加8位数字，邮箱以 .example 结尾，别的收不到。";
const time = new Intl.DateTimeFormat("zh-CN", { dateStyle: "medium", timeStyle: "medium" });

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(form.querySelector("button"), "正在查看…", show);
});
const asked = new URLSearchParams(location.search).get("to");
if (asked) {
  to.value = asked;
  show();
} else {
  state.replaceChildren(...nothing("看谁的收件箱？", "填写手机号或邮箱，点“查看”，收到的短信和邮件会显示在这里。"));
}
suggest();

async function show() {
  const address = to.value.trim();
  letters.replaceChildren();
  state.replaceChildren();
  if (!address) {
    state.textContent = "请填写手机号或邮箱。";
    return;
  }
  try {
    const found = await call("GET", `/control/inbox?${new URLSearchParams({ to: address })}`);
    const told = [`共 ${found.length} 封，最新的在最上面。`];
    state.replaceChildren(...(found.length ? told : nothing("还没有消息", `${address} 还没有收到短信或邮件。${RANGES}`)));
    letters.replaceChildren(...found.map(letter));
  } catch {
    state.textContent = "没有读到收件箱，请稍后再看。";
  }
}

function nothing(title, words) {
  return [icon("inbox"), h("strong", {}, title), h("span", {}, words)];
}

function letter({ at, to: address, text, code }) {
  return h(
    "li",
    { class: "letter" },
    h("p", { class: "letter-head" }, h("span", {}, address), h("time", { datetime: at }, when(at))),
    h("p", { class: "letter-text" }, text),
    code ? h("p", {}, h("span", { class: "hidden" }, "验证码 "), h("span", { class: "letter-code" }, code)) : null,
  );
}

function when(at) {
  const moment = new Date(at);
  return Number.isNaN(moment.valueOf()) ? String(at) : time.format(moment);
}

async function suggest() {
  try {
    const known = await people();
    const numbers = new Map(known.filter((person) => person.phone).map((person) => [person.phone, person.name]));
    document
      .getElementById("known")
      .replaceChildren(...[...numbers].map(([phone, name]) => h("option", { value: phone, label: name })));
  } catch {
    // Suggestions only: the field works without them.
  }
}
