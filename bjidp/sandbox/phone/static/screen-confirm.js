// The confirm screen: every fact the server saw, then two buttons of one size. Nothing happens without a press.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { note } from "./notes.js";
import { verdict } from "./screen-face.js";
import { ACTIONS, ago, explain, READS, span } from "./words.js";

const SOON = 15; // Seconds: from here the countdown is also said aloud, once.

const PURPOSES = { verify: "验证身份", device: "设备登录" };

/** The words of one request: what is asked, what a yes does, what is said when it is settled. Null for an unknown one. */
function wording({ purpose, request }, site, who) {
  if (purpose === "login") {
    return {
      title: "确认登录",
      question: `登录${site}？`,
      lead: `您将以 ${who} 的身份在电脑上登录`,
      yes: "确认登录",
      lasts: ["登录有效期", `关闭浏览器即退出，最长 ${span(request.session_lifetime)}`],
      approved: `电脑上的${site}正在登录，请看电脑屏幕。`,
      refused: "对方没有登录。需要登录时，请在您自己的电脑上打开登录页再扫。",
      reported: "对方没有登录。谢谢您的举报，平台会留意发出这次请求的网络。",
      undo: "不是我，立即退出",
      undone: ["已让电脑退出", "刚才的登录已经结束。是别人让您扫的码？请举报。"],
    };
  }
  if (purpose === "face") {
    return {
      title: "人脸识别认证",
      question: "用人脸办理认证？",
      lead: `由平台核对您是不是 ${who} 本人，通过后这个账号达到中级认证`,
      yes: "确认认证",
      lasts: ["有效期", "只用一次，3 分钟内完成"],
      approved: "请看电脑屏幕，认证马上完成。",
      refused: "什么也没有改。要办理时，请在您自己的电脑上打开页面再扫。",
      reported: "什么也没有改。谢谢您的举报，平台会留意发出这次请求的网络。",
      undo: "不是我，立即退出",
      undone: ["已让电脑退出", "那里的登录已经结束。是别人让您扫的码？请举报。"],
    };
  }
  if (purpose === "device") {
    const reads = request.reads ?? [];
    if (!reads.every((scope) => Object.hasOwn(READS, scope))) return null;
    return {
      title: "登录设备",
      question: `登录${site}？`,
      lead: `您将以 ${who} 的身份登录显示二维码的那台设备`,
      yes: "确认登录",
      lasts: ["登录有效期", `最长 ${span(request.session_lifetime)}`],
      reads: reads.map((scope) => READS[scope]),
      thing: "设备",
      approved: `${site}正在登录，请看设备的屏幕。`,
      refused: "对方没有登录。需要登录时，请扫您自己面前设备上的二维码。",
      reported: "对方没有登录。谢谢您的举报，平台会留意发出这次请求的网络。",
      undo: "不是我，立即退出",
      undone: ["已让设备退出", "刚才的登录已经结束。是别人让您扫的码？请举报。"],
    };
  }
  const action = purpose === "verify" && Object.hasOwn(ACTIONS, request.action) ? ACTIONS[request.action] : null;
  return action
    ? {
        title: "验证身份",
        question: `${action.name}？`,
        lead: `确认后，${action.then(who)}`,
        yes: `确认${action.name}`,
        lasts: ["有效期", "只用一次，5 分钟内有效"],
        approved: `请看电脑屏幕，继续${action.name}。`,
        refused: "什么也没有改。要办理时，请在您自己的电脑上打开页面再扫。",
        reported: "什么也没有改。谢谢您的举报，平台会留意发出这次请求的网络。",
        undo: "不是我，立即撤回",
        undone: ["已撤回确认", "电脑上不能再凭它办理，那里的登录也已结束。是别人让您扫的码？请举报。"],
      }
    : null;
}

// `since` is when it was scanned, `shown` tells that a face was shown since then, `notice` what came of it if nothing did.
// Of what was found `compared` tells that the person has looked at the device's own code.
export function confirm(phone, { found, since, shown, notice }) {
  const { request } = found;
  const site = request?.client?.name || "网页";
  const who = phone.jingtong.session.account?.name ?? "";
  const words = wording(found, site, who);
  if (!words) {
    return phone.screen("result", {
      kind: "warn",
      title: "这个二维码现在还不能用",
      text: `它用于${PURPOSES[found.purpose] ?? "别的操作"}，此方式即将开放。`,
      actions: [["回到首页", () => phone.open("home")]],
    });
  }
  phone.code.drop();
  const opened = since ?? performance.now();
  const thing = words.thing ?? "电脑";
  const asksCode = (found.steps ?? []).includes("compare") && !found.compared;
  const asksFace = (found.steps ?? []).includes("face") && !shown;
  const left = h("strong", { class: "digits" });
  const bar = h("span", { class: "time-bar" });
  const asked = h("dd", { class: "digits" });
  const soon = h("p", { class: "hidden", role: "status" });
  const said = h("div", { role: "alert" });
  const yes = h(
    "button",
    { type: "button", class: "primary", onclick: asksCode ? compared : asksFace ? start : approve },
    asksCode ? "是，一样" : asksFace ? "开始人脸识别" : words.yes,
  );
  const no = h(
    "button",
    { type: "button", class: "secondary danger", onclick: refuse },
    asksCode ? "不一样，拒绝" : "不是我，拒绝",
  );
  const tell = h("input", { type: "checkbox" });
  let over = false;
  let working = false;

  let timer = null;
  tick();
  timer = setInterval(tick, 250);

  return {
    title: words.title,
    back: () => phone.open("home"),
    leave: () => {
      over = true;
      clearInterval(timer);
    },
    body: [
      h("h1", {}, asksCode ? `屏幕上的代码是 ${found.user_code} 吗？` : words.question),
      h("p", { class: "lead" }, asksCode ? "请看显示二维码的那台设备，逐个字母核对" : words.lead),
      asksCode ? letters(found.user_code) : null,
      h(
        "div",
        { class: "time", role: "timer", "aria-label": "剩余时间" },
        h("span", { class: "time-track", "aria-hidden": "true" }, bar),
        h("span", { class: "time-words" }, "还剩 ", left, " 秒"),
      ),
      soon,
      notice ? note("warn", notice) : null,
      shown ? note("good", "人脸已识别，请确认。") : null,
      request.location_mismatch === true
        ? note(
            "bad",
            h("strong", {}, `这台${thing}和您的手机不在同一个地方`),
            h("br"),
            `${thing}不在您面前？请点“${no.textContent}”。`,
          )
        : null,
      h(
        "dl",
        { class: "card facts" },
        fact("网站", h("span", {}, site), request.client?.domain ? h("span", { class: "domain" }, request.client.domain) : null),
        fact(thing, `${known(request.browser)} · ${known(request.os)}`),
        fact("地点", request.ip_area ? `${place(request.ip_area)}（按网络估计）` : "未知"),
        fact("网络", request.ip_seen_before ? "您以前在这个网络登录过" : "第一次在这个网络登录"),
        h("div", {}, h("dt", {}, "请求时间"), asked),
        fact(...words.lasts),
        words.reads ? fact("将读取", ...words.reads.map((read) => h("span", { class: "reads" }, read))) : null,
      ),
      h("label", { class: "check" }, tell, h("span", {}, "别人发来的二维码，拒绝时一并举报")),
      said,
    ],
    // Beside the buttons, where it is read whatever the height of the screen lets be seen of the facts.
    footer: [
      h(
        "p",
        { class: "caution" },
        icon("shield"),
        asksCode ? "不一样，就是别人的设备在登录。" : "不是您本人？请点“不是我，拒绝”。",
      ),
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
    // Nor is a screen left that is not there yet.
    if (rest <= 0 && timer !== null && !over && !working) phone.failed({ code: "ticket_expired" });
  }

  function compared() {
    phone.open("confirm", { found: { ...found, compared: true }, since: opened });
  }

  function start() {
    return settle(yes, no, "正在打开相机…", async () => {
      const { verification } = await phone.jingtong.face(found.ticket, found.confirm_token);
      phone.open("ticketface", { found, since: opened, verification });
    });
  }

  function approve() {
    return settle(yes, no, "正在确认…", async () => {
      const answer = await verdict(() => phone.jingtong.confirm(found.ticket, found.confirm_token));
      if (answer.status === "approved") phone.open("result", approved(phone, found.ticket, answer.code, words));
      else phone.open("result", rejected(phone, words, false));
    });
  }

  function refuse() {
    return settle(no, yes, "正在拒绝…", async () => {
      // Told together with the refusal: a ticket that is refused takes no second word.
      const answer = await phone.jingtong.reject(found.ticket, found.confirm_token, tell.checked);
      if (answer.status === "rejected") phone.open("result", rejected(phone, words, tell.checked));
      else phone.open("result", approved(phone, found.ticket, answer.code, words));
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
      } else if (error.code === "face_failed") {
        phone.open("confirm", { found, since: opened, notice: `${explain(error).title}。${explain(error).text}` });
      } else if (shown || asksFace) phone.failed(error, { again: () => phone.open("confirm", { found, since: opened, shown }) });
      else phone.failed(error, { again: () => phone.open("scan") });
    } finally {
      working = false;
      other.removeAttribute("aria-disabled");
    }
  }
}

// The letters as they stand on the device, in two groups; the heading says them to whoever listens.
function letters(code) {
  const group = (part) => h("span", { class: "letters-group" }, [...part].map((letter) => h("span", {}, letter)));
  return h("p", { class: "letters", "aria-hidden": "true" }, code.split("-").map(group));
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

function approved(phone, ticket, code, words) {
  const undo = [words.undo, () => takeBack(phone, ticket, words), "danger"];
  if (code === null || code === undefined) {
    return {
      kind: "good",
      title: "已确认",
      text: words.approved,
      actions: [["完成", () => phone.open("home")], undo],
    };
  }
  phone.code.keep(code, phone.jingtong.session);
  return {
    kind: "good",
    title: "已确认，还差一步",
    text: "请在电脑上输入这两位数字：",
    digits: code,
    hint: "只输入到您眼前的电脑上。有人向您要这两位数字，请不要告诉他。",
    actions: [["我已在电脑上输入", () => phone.open("home")], undo],
  };
}

async function takeBack(phone, ticket, words) {
  const [title, text] = words.undone;
  const home = ["回到首页", () => phone.open("home")];
  try {
    await phone.jingtong.undo(ticket, false);
  } catch (error) {
    if (error.code !== "ticket_unknown") {
      phone.failed(error, { again: () => takeBack(phone, ticket, words) });
      return;
    }
    // Its session has ended by itself meanwhile: there is nothing left to take back.
  }
  phone.code.drop();
  phone.open("result", { kind: "stop", title, text, actions: [home, ["举报这次请求", () => report(phone, ticket, home)]] });
}

async function report(phone, ticket, home) {
  try {
    await phone.jingtong.undo(ticket, true);
  } catch (error) {
    if (error.code !== "ticket_unknown") {
      phone.failed(error, { again: () => report(phone, ticket, home) });
      return;
    }
  }
  phone.open("result", { kind: "stop", title: "已举报", text: "谢谢您，平台会留意发出这次请求的网络。", actions: [home] });
}

function rejected(phone, words, reported) {
  return {
    kind: "stop",
    title: reported ? "已拒绝并举报" : "已拒绝",
    text: reported ? words.reported : words.refused,
    actions: [["回到首页", () => phone.open("home")]],
  };
}
