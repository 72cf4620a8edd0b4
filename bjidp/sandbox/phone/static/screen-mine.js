// 我的: the account as the platform shows it, masked, and the way out.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { told } from "./notes.js";
import { levelWords } from "./screen-home.js";
import { explain, platformName } from "./words.js";

export function mine(phone) {
  const facts = h("dl", { class: "facts" });
  const said = h("div", { role: "alert" });
  const bound = h("span", {}, "绑定手机号");
  const out = h("button", { type: "button", class: "secondary danger", onclick: leave }, "退出登录");
  show(phone.jingtong.session.account ?? {});
  load();

  return {
    title: "我的",
    tab: "mine",
    body: [
      h("h1", {}, "我的账号"),
      said,
      h("div", { class: "card" }, facts),
      h(
        "div",
        { class: "card links" },
        h("button", { type: "button", class: "link-row", onclick: () => phone.open("bind") }, icon("phone"), bound, icon("chevron")),
        h("button", { type: "button", class: "link-row", onclick: () => phone.open("devices") }, icon("screen"), "我的设备", icon("chevron")),
        h("button", { type: "button", class: "link-row", onclick: () => phone.open("choose") }, icon("person"), "切换平台或人物", icon("chevron")),
        h("a", { class: "link-row", href: "/inbox", target: "_blank", rel: "noopener" }, icon("inbox"), "短信和邮件收件箱（沙箱）", icon("chevron")),
      ),
      out,
    ],
  };

  function show(account) {
    bound.textContent = account.phone ? "更换手机号" : "绑定手机号";
    facts.replaceChildren(
      ...[
        ["姓名", account.name],
        ["认证级别", levelWords(account.level)],
        ["手机号码", account.phone === undefined ? "…" : (account.phone ?? "未绑定")],
        ["用户名", account.username === undefined ? "…" : account.username],
        ["登录方式", `${platformName(phone.jingtong.session.platform)}京通`],
      ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "暂无信息"))),
    );
  }

  async function load() {
    try {
      show(await phone.jingtong.account());
    } catch (error) {
      if (error.code === "session_ended") phone.failed(error);
      else said.replaceChildren(told(explain(error)));
    }
  }

  function leave() {
    return busy(out, "正在退出…", async () => {
      try {
        await phone.jingtong.signOut();
      } finally {
        phone.open("choose", { notice: "已退出京通。" });
      }
    });
  }
}
