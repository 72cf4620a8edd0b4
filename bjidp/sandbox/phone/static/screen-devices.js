// 我的设备: where the account is logged in, and a way out of each.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { note, told } from "./notes.js";
import { explain, moment, platformName, since, WAYS } from "./words.js";

export function devices(phone) {
  const said = h("div", { role: "alert" });
  const ended = h("p", { class: "hidden", role: "status" });
  const heading = h("h1", {}, "我的设备");
  const list = h("ul", { class: "devices", "aria-busy": "true" });
  load();

  return {
    title: "我的设备",
    back: () => phone.open("mine"),
    body: [
      heading,
      h("p", { class: "lead" }, "您的账号在这些地方登录着。"),
      said,
      ended,
      list,
      note("care", "有不认识的？请让它退出，再修改密码。"),
    ],
  };

  async function load() {
    try {
      const sessions = await phone.jingtong.sessions();
      list.replaceChildren(...sessions.map(row));
    } catch (error) {
      failed(error);
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function row(session) {
    const name = nameOf(session);
    const out = session.current
      ? h("span", { class: "tag" }, "这部手机")
      : h("button", { type: "button", class: "secondary danger small", "aria-label": `让${name}退出` }, "退出");
    const item = h(
      "li",
      { class: "card device" },
      h("span", { class: "device-mark", "aria-hidden": "true" }, icon(session.kind === "phone" ? "handset" : "screen")),
      h(
        "div",
        { class: "device-words" },
        h("strong", {}, name),
        h("span", {}, [session.site?.domain, how(session), session.area].filter(Boolean).join(" · ")),
        h("span", { class: "faint" }, `${since(session.last_used_at)}用过`),
        h("span", { class: "faint" }, `${moment(session.created_at)} 登录`),
      ),
      out,
    );
    if (!session.current) out.addEventListener("click", () => busy(out, "正在退出…", () => end(session, name, item)));
    return item;
  }

  async function end(session, name, item) {
    said.replaceChildren();
    try {
      await phone.jingtong.endSession(session.id);
    } catch (error) {
      // Somebody was faster, or its time was over: it is gone all the same.
      if (error.code !== "session_unknown") return failed(error);
    }
    item.remove();
    ended.textContent = `${name}已退出。`;
    heading.tabIndex = -1;
    heading.focus();
  }

  function failed(error) {
    if (error.code === "session_ended") phone.failed(error);
    else said.replaceChildren(told(explain(error)));
  }
}

function nameOf(session) {
  if (session.kind === "phone") return `${platformName(session.platform)}京通`;
  return session.kind === "device" ? session.site.name : computer(session);
}

function computer({ browser, os }) {
  const known = [browser, os].filter((word) => word && word !== "unknown");
  return known.length ? known.join(" · ") : "浏览器（未知）";
}

function how({ kind, way, platform }) {
  if (kind === "phone") return "小程序";
  if (kind === "device") return platform ? `${platformName(platform)}京通${WAYS.qr}` : "在网页上输入代码登录";
  return way === "qr" && platform ? `${platformName(platform)}京通${WAYS.qr}` : (WAYS[way] ?? "网页登录");
}
