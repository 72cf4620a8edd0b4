// 京通's first page: who is logged in, and 扫一扫.

import { pending } from "./code.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { note } from "./notes.js";
import { LEVELS } from "./words.js";

export function home(phone) {
  const account = phone.jingtong.session.account ?? {};
  const name = h("span", { class: "hello-name" }, account.name ?? "");
  const level = h("span", { class: "badge" }, levelWords(account.level));
  const { card, stop } = pending(phone);
  refresh();

  return {
    title: "京通",
    tab: "home",
    leave: stop,
    body: [
      h("h1", { class: "hidden" }, "京通首页"),
      h(
        "section",
        { class: "hello", "aria-label": "已登录的账号" },
        h("span", { class: "avatar large", "aria-hidden": "true" }, [...(account.name ?? "京")][0]),
        h("span", { class: "hello-words" }, name, level),
        h("span", { class: "seal", "aria-hidden": "true" }, "京"),
      ),
      card,
      h(
        "button",
        { type: "button", class: "scan-tile", onclick: () => phone.open("scan"), "aria-label": "扫一扫" },
        h("span", { class: "scan-tile-icon" }, icon("scan")),
        h("span", {}, h("strong", {}, "扫一扫"), h("small", {}, "登录电脑上的网页")),
        icon("chevron"),
      ),
      h(
        "section",
        { class: "card steps", "aria-labelledby": "steps-title" },
        h("h2", { id: "steps-title" }, "在电脑上登录，只要三步"),
        h(
          "ol",
          {},
          h("li", {}, h("strong", {}, "在电脑上打开登录页"), h("span", {}, "页面会显示一个不断更新的二维码")),
          h("li", {}, h("strong", {}, "点“扫一扫”，对准屏幕"), h("span", {}, "截图和转发的二维码无效")),
          h("li", {}, h("strong", {}, "核对信息，点“确认登录”"), h("span", {}, "网站、电脑、地点、时间要对得上")),
        ),
      ),
      note("care", "只扫您自己打开的网页。别人发来的登录二维码，请不要扫。"),
    ],
  };

  async function refresh() {
    try {
      const known = await phone.jingtong.account();
      name.textContent = known.name;
      level.textContent = levelWords(known.level);
    } catch (error) {
      if (error.code === "session_ended") phone.failed(error);
    }
  }
}

export function levelWords(level) {
  return level ? `${level} ${LEVELS[level] ?? ""}`.trim() : "";
}
