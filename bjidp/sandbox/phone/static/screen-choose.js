// Whose phone this is: a platform and a synthetic person, then the platform's own login.

import { busy, freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { note } from "./notes.js";
import { loginCode, people } from "./sandbox.js";
import { DOCUMENTS, explain, platformName, PLATFORMS, SHORT_DOCUMENTS, STORIES } from "./words.js";

export function choose(phone, { notice } = {}) {
  const list = h("div", { class: "people", role: "radiogroup", "aria-label": "选择一个虚拟人物" });
  const problem = h("p", { class: "problem", role: "alert" });
  const chosen = { platform: phone.platform, person: null };
  const go = h("button", { type: "button", class: "primary", onclick: signIn }, "登录京通");

  const platforms = h(
    "fieldset",
    { class: "segments" },
    h("legend", { class: "label" }, "在哪个平台打开京通"),
    h(
      "div",
      { class: "segments-row" },
      PLATFORMS.map(({ id, name }) =>
        h(
          "label",
          { class: `segment ${id}` },
          h("input", {
            type: "radio",
            name: "platform",
            value: id,
            checked: id === chosen.platform,
            onchange: () => {
              chosen.platform = id;
              phone.platform = id;
            },
          }),
          name,
        ),
      ),
    ),
  );

  load();
  return {
    title: "选择人物",
    body: [
      phone.jingtong.session ? resume(phone) : null,
      h("div", { role: "status" }, notice ? note("warn", notice) : null),
      h("h1", {}, "谁的手机？"),
      h("p", { class: "lead" }, "选一个平台和一个虚拟人物，像本人一样使用京通。"),
      platforms,
      h("p", { class: "label", id: "people-label" }, "虚拟人物"),
      list,
      problem,
    ],
    footer: go,
  };

  async function load() {
    list.replaceChildren(h("p", { class: "faint", role: "status" }, "正在读取人物…"));
    try {
      const everyone = sorted(await people());
      list.replaceChildren(...everyone.map((person, index) => (person ? option(person, index === 0) : newcomer())));
    } catch {
      const retry = h("button", { type: "button", class: "plain", onclick: load }, "再试一次");
      list.replaceChildren(note("bad", "没有读到人物名单，沙箱可能还没有启动。"), retry);
    }
  }

  function option(person, first) {
    if (first) chosen.person = person;
    return row(
      person,
      first,
      h("span", { class: "avatar", "aria-hidden": "true" }, [...person.name][0]),
      person.name,
      SHORT_DOCUMENTS[person.document_type] ?? DOCUMENTS[person.document_type] ?? "",
      STORIES[person.story] ?? person.story,
    );
  }

  function newcomer() {
    return row(
      { id: null },
      false,
      h("span", { class: "avatar blank", "aria-hidden": "true" }, icon("person")),
      "新的平台用户",
      "",
      "平台第一次见到的人，证件信息自己填写",
    );
  }

  function row(person, first, avatar, name, tag, story) {
    const called = freshId("name");
    const told = freshId("story");
    return h(
      "label",
      { class: "person" },
      avatar,
      h(
        "span",
        { class: "person-words" },
        h("span", { class: "person-name" }, h("span", { id: called }, name), tag ? h("span", { class: "tag" }, tag) : null),
        h("span", { class: "person-story", id: told }, story),
      ),
      h("input", {
        type: "radio",
        name: "person",
        value: person.id ?? "new",
        checked: first,
        "aria-labelledby": called,
        "aria-describedby": told,
        onchange: () => {
          chosen.person = person;
        },
      }),
    );
  }

  function signIn() {
    return busy(go, "正在登录…", async () => {
      problem.replaceChildren();
      if (!chosen.person) {
        problem.replaceChildren("请先选择一个人物。");
        return;
      }
      const user = chosen.person.id ?? `new-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
      const person = chosen.person.id ? chosen.person : null;
      try {
        const answer = await phone.jingtong.signIn(chosen.platform, user, await loginCode(chosen.platform, user));
        phone.arrived(answer, { platform: chosen.platform, user, person });
      } catch (error) {
        const { title, text } = explain(error);
        problem.replaceChildren(h("strong", {}, title), `：${text}`);
      }
    });
  }
}

// Somebody with whom all goes well, then everybody with a story, the newcomer (null) among them, then the others.
function sorted(everyone) {
  const ordinary = everyone.filter(({ story }) => story === "ordinary");
  const stories = everyone.filter(({ story }) => story !== "ordinary");
  return [...ordinary.slice(0, 1), ...stories, null, ...ordinary.slice(1)];
}

function resume(phone) {
  const { account, platform } = phone.jingtong.session;
  return h(
    "button",
    { type: "button", class: "resume", onclick: () => phone.open("home") },
    h(
      "span",
      {},
      h("strong", {}, `${account?.name ?? "您"} 仍在登录`),
      h("small", {}, `${platformName(platform)}京通，点这里回去`),
    ),
    icon("chevron"),
  );
}
