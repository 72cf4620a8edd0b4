// 您已有账号: the face has passed, and an account holds the identity by a weaker proof. Whose is it (RNV-7)?

import { busy, freshId, h } from "./dom.js";
import { note, told } from "./notes.js";
import { Problem } from "./wire.js";
import { explain } from "./words.js";

const TICK = 1_000;

/** `found` is the answer that told of the account; `step` is "whose", "code" or "leave"; no new code before `next`. */
export function claim(phone, { registration, who, found, step = "whose", next = 0 }) {
  const said = h("div", { role: "alert" });
  const other = h("button", { type: "button", class: "plain", onclick: () => go("leave") }, "不是我的，或手机号不用了");
  const card = h(
    "dl",
    { class: "facts" },
    h("div", {}, h("dt", {}, "用户名"), h("dd", {}, found.account.username)),
    h("div", {}, h("dt", {}, "手机号码"), h("dd", {}, found.account.phone ?? "未绑定")),
  );
  return { title: "您已有账号", ...{ whose, code, leave }[step]() };

  function whose() {
    const mine = h("button", { type: "button", class: "primary", onclick: begin }, "是我的，用短信认领");
    const known = found.account.phone !== null;
    return {
      back: () => phone.open("choose"),
      body: [
        h("h1", {}, "这个账号是您的吗？"),
        h("p", { class: "lead" }, "人脸识别已通过。您的证件已经用在下面这个账号上，它认证时没有核对过人脸。"),
        said,
        h("div", { class: "card" }, card),
        known ? null : note("care", "这个账号没有绑定手机号，不能用短信认领。可以新建一个账号，证件归新账号使用。"),
      ],
      footer: h("div", { class: "choices" }, known ? mine : null, other),
    };
  }

  // A code that is on its way already is waited for.
  function begin(event) {
    if (next > Date.now()) go("code");
    else act(event.currentTarget, "正在发送…", send);
  }

  function code() {
    const id = freshId("field");
    const wrong = h("p", { class: "fault", id: `${id}-fault` });
    const field = h("input", {
      id,
      class: "control",
      inputmode: "numeric",
      autocomplete: "one-time-code",
      maxlength: 6,
      "aria-describedby": `${id}-fault`,
    });
    const submit = h("button", { type: "submit", class: "primary", form: "claim" }, "认领并登录");
    const again = h("button", { type: "button", class: "secondary", onclick: resend });
    let asking = false;
    const timer = setInterval(count, TICK);
    count();
    return {
      back: () => go("whose"),
      leave: () => clearInterval(timer),
      body: [
        h("h1", {}, "输入短信验证码"),
        h("p", { class: "lead" }, `验证码已发往这个账号的手机 ${found.account.phone}。没有收到时，先看看垃圾短信。`),
        said,
        h(
          "form",
          { id: "claim", class: "form", novalidate: true, onsubmit: enter },
          h("div", { class: "field" }, h("label", { class: "label", for: id }, "短信验证码"), field, wrong),
        ),
      ],
      footer: h("div", { class: "choices" }, submit, again, other),
    };

    function enter(event) {
      event.preventDefault();
      say("");
      if (!/^[0-9]{6}$/.test(field.value.trim())) {
        say("请输入六位数字的验证码");
        return undefined;
      }
      return act(submit, "正在认领…", async () => {
        try {
          await settle({ mine: true, code: field.value.trim() });
        } catch (error) {
          if (!(error instanceof Problem) || !(error.code in FAULTS)) throw error;
          say(FAULTS[error.code](error.details));
        }
      });
    }

    async function resend() {
      if (next > Date.now()) return;
      asking = true;
      await act(again, "正在发送…", send);
      asking = false;
    }

    // Says how long it takes until the next code may be asked for.
    function count() {
      if (asking) return;
      const seconds = Math.ceil((next - Date.now()) / TICK);
      again.textContent = seconds > 0 ? `重新获取（${seconds}秒）` : "重新获取验证码";
      again.setAttribute("aria-disabled", String(seconds > 0));
    }

    function say(words) {
      wrong.textContent = words;
      if (words) {
        field.setAttribute("aria-invalid", "true");
        field.focus();
      } else field.removeAttribute("aria-invalid");
    }
  }

  function leave() {
    const make = h("button", { type: "button", class: "primary", onclick: () => act(make, "正在新建…", () => settle({ mine: false })) }, "新建账号并登录");
    return {
      back: () => go("whose"),
      body: [
        h("h1", {}, "新建一个账号？"),
        h("p", { class: "lead" }, "您的证件和人脸已经核对，可以用在一个新账号上。"),
        said,
        h(
          "dl",
          { class: "why" },
          h("div", {}, h("dt", {}, "新账号"), h("dd", {}, "是您的实名账号，中级认证。")),
          h("div", {}, h("dt", {}, "原账号"), h("dd", {}, "不再是实名账号，会在各处退出登录，并收到短信。它的用户名、手机号和密码不变。")),
          h("div", {}, h("dt", {}, "次数"), h("dd", {}, "一份身份24小时内只能换一次账号。")),
        ),
      ],
      footer: h(
        "div",
        { class: "choices" },
        make,
        h("button", { type: "button", class: "secondary", onclick: () => go("whose") }, "返回"),
      ),
    };
  }

  function go(to, after = next) {
    phone.open("claim", { registration, who, found, step: to, next: after });
  }

  async function send() {
    await settle({ mine: true });
  }

  async function settle(body) {
    const answer = await phone.jingtong.claim(who.platform, who.user, { registration, ...body });
    if (answer.status === "code_sent") go("code", Date.now() + answer.wait * TICK);
    else phone.arrived(answer, who);
  }

  function act(button, words, work) {
    return busy(button, words, async () => {
      said.replaceChildren();
      try {
        await work();
      } catch (error) {
        const saying = explain(error);
        if (saying.next === "login" || error.code === "account_refused") phone.failed(error);
        else said.replaceChildren(told(saying));
      }
    });
  }
}

const FAULTS = {
  verification_code_wrong: ({ tries_left: left }) =>
    left > 0 ? `验证码不对，还可以试 ${left} 次` : "验证码不对，它已经失效，请重新获取",
  verification_code_expired: () => "验证码已失效，请重新获取",
};
