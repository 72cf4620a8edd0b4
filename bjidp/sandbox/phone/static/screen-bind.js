// 绑定手机号: the platform's phone button, and what follows from the number that the platform knows (LOG-7).

import { busy, h } from "./dom.js";
import { note, told } from "./notes.js";
import { loginCode, phoneButton } from "./sandbox.js";
import { Problem } from "./wire.js";
import { buttonFault, explain, platformName } from "./words.js";

/** `offered` is what the button gave for a number that another account has, and that may be merged. */
export function bind(phone, { offered } = {}) {
  const { platform, user } = phone.jingtong.session;
  const name = platformName(platform);
  const said = h("div", { role: "alert" });
  return { title: "绑定手机号", back: () => phone.open("mine"), ...(offered ? question() : start()) };

  function start() {
    const go = h("button", { type: "button", class: "primary", onclick: () => act(go, press) }, `用${name}的手机号绑定`);
    return {
      body: [
        h("h1", {}, "绑定手机号"),
        h("p", { class: "lead" }, `${name}会把它核实过的手机号交给京通，不用输入，也不用短信验证码。`),
        said,
        h(
          "dl",
          { class: "why" },
          h("div", {}, h("dt", {}, "有什么用"), h("dd", {}, "可以用它登录、找回密码。")),
          h("div", {}, h("dt", {}, "只有一个"), h("dd", {}, "一个账号只能绑定一个手机号码，新的会代替旧的。")),
          h("div", {}, h("dt", {}, "旧的号码"), h("dd", {}, "会收到一条短信，告诉它已经换了。")),
        ),
      ],
      footer: go,
    };
  }

  function question() {
    const merge = h("button", { type: "button", class: "primary", onclick: () => act(merge, () => give(offered, true)) }, "合并并绑定");
    return {
      body: [
        h("h1", {}, "要合并账号吗？"),
        h("p", { class: "lead" }, "这个手机号属于另一个账号。那个账号没有实名认证，可以合并到您现在的账号。"),
        said,
        h(
          "dl",
          { class: "why" },
          h("div", {}, h("dt", {}, "手机号"), h("dd", {}, "归您现在的账号。")),
          h("div", {}, h("dt", {}, "那个账号"), h("dd", {}, "会注销，不能再登录。")),
          h("div", {}, h("dt", {}, "拿不准"), h("dd", {}, "先不要合并，什么都不会改变。")),
        ),
      ],
      footer: h(
        "div",
        { class: "choices" },
        merge,
        h("button", { type: "button", class: "secondary", onclick: () => phone.open("mine") }, "不合并"),
      ),
    };
  }

  function act(button, work) {
    return busy(button, "正在绑定…", async () => {
      said.replaceChildren();
      try {
        await work();
      } catch (error) {
        settle(error);
      }
    });
  }

  async function press() {
    try {
      await give(await pressed(), false);
    } catch (error) {
      if (!isStale(error)) throw error;
      // It counts for the newest login of this phone alone: log in anew, which asks the person nothing, and press again.
      const answer = await phone.jingtong.signIn(platform, user, await loginCode(platform, user));
      if (answer.status === "ok") await give(await pressed(), false);
      else phone.arrived(answer, { platform, user });
    }
  }

  async function pressed() {
    const given = await phoneButton(platform, user);
    return platform === "wechat" ? { code: given.code } : given;
  }

  async function give(payload, merge) {
    const bound = await phone.jingtong.bind(merge ? { ...payload, merge } : payload).catch((error) => {
      if (merge || error.code !== "phone_taken" || !error.details.merge) throw error;
      phone.open("bind", { offered: payload });
      return null;
    });
    if (bound === null) return;
    phone.open("result", {
      kind: "good",
      title: "手机号已绑定",
      text: `${bound.phone} 现在是您京通账号的手机号。`,
      actions: [["完成", () => phone.open("mine")]],
    });
  }

  function settle(error) {
    const fault = buttonFault(error, name);
    if (fault) {
      said.replaceChildren(note("bad", fault));
      return;
    }
    const saying = explain(error);
    if (saying.next === "login") phone.failed(error);
    else said.replaceChildren(told(saying));
  }
}

function isStale(error) {
  if (!(error instanceof Problem)) return false;
  return error.code === "not_logged_in" || (error.details.errors ?? []).some(({ code }) => code === "refused");
}
