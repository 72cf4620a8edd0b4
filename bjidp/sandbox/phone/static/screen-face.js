// The platform's face check, as a choice of three outcomes. No camera is opened and no picture exists.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { told } from "./notes.js";
import { face as happen } from "./sandbox.js";
import { pause, Problem } from "./wire.js";
import { explain, platformName } from "./words.js";

const ASKED = 6;
const BETWEEN = 1_000; // Milliseconds; the whole stays well within the 120 s a verdict counts.

export function face(phone, { registration, who, facts, face: opened }) {
  const said = h("div", { role: "alert" });
  const doing = h("p", { class: "faint centre", role: "status" });
  const pass = h("button", { type: "button", class: "primary", onclick: () => act(pass, "pass") }, "通过");
  const fail = h("button", { type: "button", class: "secondary", onclick: () => act(fail, "fail") }, "不通过");
  const cancel = h("button", { type: "button", class: "secondary", onclick: () => act(cancel, "cancel") }, "取消");
  const choices = h("div", { class: "choices thirds" }, pass, h("div", { class: "pair" }, fail, cancel));
  const back = () => phone.open("identity", { registration, who, facts, notice: "人脸识别已取消，您的信息没有提交。" });

  return {
    title: "人脸识别",
    back,
    body: [
      h("div", { class: "lens" }, icon("face", "lens-face"), h("span", { class: "lens-tag" }, "模拟")),
      h("h1", { class: "centre" }, "人脸识别（模拟）"),
      h("p", { class: "lead centre" }, `由${platformName(who.platform)}核对：正在操作的是不是 ${facts.name} 本人。`),
      said,
      h(
        "dl",
        { class: "why" },
        h("div", {}, h("dt", {}, "为什么"), h("dd", {}, "确认是您本人，别人拿着您的证件也不能冒用。")),
        h("div", {}, h("dt", {}, "留下什么"), h("dd", {}, "什么照片也不留，只记下通过还是不通过。")),
        h("div", {}, h("dt", {}, "不想刷脸"), h("dd", {}, "可以取消，携带证件到政务服务大厅办理。")),
      ),
      doing,
    ],
    footer: choices,
  };

  function act(button, outcome) {
    return busy(button, outcome === "cancel" ? "正在取消…" : "正在识别…", async () => {
      const others = [pass, fail, cancel].filter((other) => other !== button);
      for (const other of others) other.setAttribute("aria-disabled", "true");
      said.replaceChildren();
      try {
        await happen(opened.verification, outcome);
        if (outcome === "cancel") {
          back();
          return;
        }
        doing.textContent = "正在等平台给出结果…";
        phone.arrived(await verdict(), who);
      } catch (error) {
        settle(error);
      } finally {
        doing.textContent = "";
        for (const other of others) other.removeAttribute("aria-disabled");
      }
    });
  }

  async function verdict() {
    for (let asked = 1; ; asked += 1) {
      try {
        return await phone.jingtong.complete(who.platform, who.user, registration);
      } catch (error) {
        const pending = error instanceof Problem && error.code === "face_pending";
        if (!pending || asked === ASKED) throw error;
        await pause(BETWEEN);
      }
    }
  }

  function settle(error) {
    const saying = explain(error);
    if (error.code === "face_pending") {
      const again = h("button", { type: "button", class: "primary", onclick: () => ask(again) }, "再查一次");
      said.replaceChildren(told(saying), again);
    } else if (["face_failed", "identity_mismatch", "verification_over"].includes(error.code)) {
      phone.open("identity", { registration, who, facts, notice: `${saying.title}。${saying.text}` });
    } else if (saying.next === "login") {
      phone.failed(error);
    } else {
      const again = h("button", { type: "button", class: "primary", onclick: () => ask(again) }, "再试一次");
      said.replaceChildren(told(saying), again);
    }
  }

  function ask(button) {
    return busy(button, "正在查询…", async () => {
      try {
        phone.arrived(await verdict(), who);
      } catch (error) {
        settle(error);
      }
    });
  }
}
