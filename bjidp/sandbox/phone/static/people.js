// Who and what there is in the sandbox, with all that a form asks for.

import { h } from "./dom.js";
import { organisations, people } from "./sandbox.js";
import { DOCUMENTS, ORGANISATION_STORIES, STORIES } from "./words.js";

const state = document.getElementById("state");

try {
  const [everybody, companies] = await Promise.all([people(), organisations()]);
  const names = new Map(everybody.map((person) => [person.id, person.name]));
  document.getElementById("people").replaceChildren(...everybody.map(person));
  document.getElementById("organisations").replaceChildren(...companies.map((found) => organisation(found, names)));
  state.textContent = "";
} catch {
  state.textContent = "没有读到名单，请稍后刷新这一页。";
}

function person(found) {
  const [debit, credit] = found.cards;
  return entry(found.name, story(STORIES, found), [
    ["证件类型", DOCUMENTS[found.document_type] ?? found.document_type],
    ["证件号码", found.document_number],
    ["性别", found.gender === "female" ? "女" : "男"],
    ["生效日期", found.valid_from],
    ["失效日期", found.valid_to ?? "长期"],
    ["手机号", found.phone],
    ["储蓄卡", debit],
    ["信用卡", credit],
  ]);
}

function organisation(found, names) {
  return entry(found.name, story(ORGANISATION_STORIES, found), [
    ["信用代码", found.credit_code],
    ["法定代表人", names.get(found.representative)],
  ]);
}

function story(words, found) {
  return found.story === "ordinary" ? null : (words[found.story] ?? found.story);
}

function entry(name, special, facts) {
  return h(
    "li",
    { class: "entry" },
    h("div", { class: "entry-head" }, h("h3", {}, name), special ? h("span", { class: "story" }, special) : null),
    h(
      "dl",
      { class: "facts" },
      facts.filter(([, value]) => value).map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    ),
  );
}
