// The confirm screen: every fact the server saw, then two buttons of one size. Nothing happens without a press.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { note } from "./notes.js";
import { ago, span } from "./words.js";

const SOON = 15; // Seconds: from here the countdown is also said aloud, once.

const PURPOSES = { face: "人脸识别认证", verify: "验证身份", device: "设备登录" };

export function confirm(phone, { found }) {
  if (found.purpose !== "login") {
    return phone.screen("result", {
      kind: "warn",
      title: "这个二维码现在还不能用",
      text: `它用于${PURPOSES[found.purpose] ?? "别的操作"}，此方式即将开放。`,
      actions: [["回到首页", () => phone.open("home")]],
    });
  }
  phone.code.drop();
  const { request } = found;
  const opened = performance.now();
  const site = request.client?.name || "网页";
  const who = phone.jingtong.session.account?.name ?? "";
  const left = h("strong", { class: "digits" });
  const bar = h("span", { class: "time-bar" });
  const asked = h("dd", { class: "digits" });
  const soon = h("p", { class: "hidden", role: "status" });
  const said = h("div", { role: "alert" });
  const yes = h("button", { type: "button", class: "primary", onclick: approve }, "确认登录");
  const no = h("button", { type: "button", class: "secondary danger", onclick: refuse }, "不是我，拒绝");
  const tell = h("input", { type: "checkbox" });
  let over = false;
  let working = false;

  tick();
  const timer = setInterval(tick, 250);

  return {
    title: "确认登录",
    back: () => phone.open("home"),
    leave: () => {
      over = true;
      clearInterval(timer);
    },
    body: [
      h("h1", {}, `登录${site}？`),
      h("p", { class: "lead" }, `您将以 ${who} 的身份在电脑上登录`),
      h(
        "div",
        { class: "time", role: "timer", "aria-label": "剩余时间" },
        h("span", { class: "time-track", "aria-hidden": "true" }, bar),
        h("span", { class: "time-words" }, "还剩 ", left, " 秒"),
      ),
      soon,
      request.location_mismatch === true
        ? note(
            "bad",
            h("strong", {}, "这台电脑和您的手机不在同一个地方"),
            h("br"),
            "电脑不在您面前？请点“不是我，拒绝”。",
          )
        : null,
      h(
        "dl",
        { class: "card facts" },
        fact("网站", h("span", {}, site), request.client?.domain ? h("span", { class: "domain" }, request.client.domain) : null),
        fact("电脑", `${known(request.browser)} · ${known(request.os)}`),
        fact("地点", request.ip_area ? `${place(request.ip_area)}（按网络估计）` : "未知"),
        fact("网络", request.ip_seen_before ? "您以前在这个网络登录过" : "第一次在这个网络登录"),
        h("div", {}, h("dt", {}, "请求时间"), asked),
        fact("登录有效期", `关闭浏览器即退出，最长 ${span(request.session_lifetime)}`),
      ),
      h("label", { class: "check" }, tell, h("span", {}, "别人发来的二维码，拒绝时一并举报")),
      said,
    ],
    // Beside the buttons, where it is read whatever the height of the screen lets be seen of the facts.
    footer: [
      h("p", { class: "caution" }, icon("shield"), "不是您本人？请点“不是我，拒绝”。"),
      h("div", { class: "choices equal" }, yes, no),
    ],
  };

  function tick() {
    const passed = (performance.now() - opened) / 1000;
    const rest = found.expires_in - passed;
    asked.textContent = ago((request.age ?? 0) + passed);
    left.textContent = String(Math.max(0, Math.ceil(rest)));
    bar.style.inlineSize = `${Math.max(0, Math.min(1, rest / found.expires_in)) * 100}%`;
    bar.classList.toggle("soon", rest <= SOON);
    if (rest <= SOON && rest > 0 && !soon.textContent) soon.textContent = `还剩 ${SOON} 秒，请确认或拒绝。`;
    // A press that is under way decides by its own answer, not by this clock.
    if (rest <= 0 && !over && !working) phone.failed({ code: "ticket_expired" });
  }

  function approve() {
    return settle(yes, no, "正在确认…", async () => {
      const answer = await phone.jingtong.confirm(found.ticket, found.confirm_token);
      if (answer.status === "approved") phone.open("result", approved(phone, answer.code, site));
      else phone.open("result", rejected(phone, false));
    });
  }

  function refuse() {
    return settle(no, yes, "正在拒绝…", async () => {
      // Told together with the refusal: a ticket that is refused takes no second word.
      const answer = await phone.jingtong.reject(found.ticket, found.confirm_token, tell.checked);
      if (answer.status === "rejected") phone.open("result", rejected(phone, tell.checked));
      else phone.open("result", approved(phone, answer.code, site));
    });
  }

  async function settle(button, other, words, work) {
    if (working) return;
    working = true;
    other.setAttribute("aria-disabled", "true");
    try {
      await busy(button, words, work);
    } catch (error) {
      if (error.code === "lost") {
        said.replaceChildren(note("bad", "没有收到平台的回答，不知道是否办成。请再按一次。"));
      } else phone.failed(error, { again: () => phone.open("scan") });
    } finally {
      working = false;
      other.removeAttribute("aria-disabled");
    }
  }
}

function fact(name, ...values) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, values));
}

function known(value) {
  return !value || value === "unknown" ? "未知" : value;
}

function place(area) {
  return typeof area === "string" ? area : (area.label ?? "未知");
}

function approved(phone, code, site) {
  if (code === null || code === undefined) {
    return {
      kind: "good",
      title: "已确认",
      text: `电脑上的${site}正在登录，请看电脑屏幕。`,
      actions: [["完成", () => phone.open("home")]],
    };
  }
  phone.code.keep(code, phone.jingtong.session);
  return {
    kind: "good",
    title: "已确认，还差一步",
    text: "请在电脑上输入这两位数字：",
    digits: code,
    hint: "只输入到您眼前的电脑上。有人向您要这两位数字，请不要告诉他。",
    actions: [["我已在电脑上输入", () => phone.open("home")]],
  };
}

function rejected(phone, reported) {
  return {
    kind: "stop",
    title: reported ? "已拒绝并举报" : "已拒绝",
    text: reported
      ? "对方没有登录。谢谢您的举报，平台会留意发出这次请求的网络。"
      : "对方没有登录。需要登录时，请在您自己的电脑上打开登录页再扫。",
    actions: [["回到首页", () => phone.open("home")]],
  };
}
