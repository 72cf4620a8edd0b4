// The platform's face check, as a choice of three outcomes. No camera is opened and no picture exists.

import { busy, h } from "./dom.js";
import { icon } from "./icons.js";
import { told } from "./notes.js";
import { face as happen } from "./sandbox.js";
import { pause, Problem } from "./wire.js";
import { explain, platformName } from "./words.js";

const ASKED = 6;
const BETWEEN = 1_000; // Milliseconds; the whole stays well within the 120 s a verdict counts.

const CANCELLED = "人脸识别已取消，您的信息没有提交。";

/** Ask for the platform's verdict, again while it has none. */
export async function verdict(ask) {
  for (let asked = 1; ; asked += 1) {
    try {
      return await ask();
    } catch (error) {
      const pending = error instanceof Problem && error.code === "face_pending";
      if (!pending || asked === ASKED) throw error;
      await pause(BETWEEN);
    }
  }
}

/** The face check of a registration. */
export function face(phone, { registration, who, facts, face: opened }) {
  const back = (notice) => phone.open("identity", { registration, who, facts, notice });
  const screen = camera({
    platform: who.platform,
    name: facts.name,
    verification: opened.verification,
    back: () => back(CANCELLED),
    happened: arrive,
    troubled: settle,
  });
  return screen;

  async function arrive() {
    screen.doing.textContent = "正在等平台给出结果…";
    phone.arrived(await verdict(() => phone.jingtong.complete(who.platform, who.user, registration)), who);
  }

  function settle(error) {
    const saying = explain(error);
    if (["face_failed", "identity_mismatch", "verification_over"].includes(error.code)) {
      back(`${saying.title}。${saying.text}`);
    } else if (saying.next === "login") {
      phone.failed(error);
    } else {
      const words = error.code === "face_pending" ? "再查一次" : "再试一次";
      const again = h("button", { type: "button", class: "primary", onclick: () => ask(again) }, words);
      screen.said.replaceChildren(told(saying), again);
    }
  }

  function ask(button) {
    return busy(button, "正在查询…", async () => {
      try {
        await arrive();
      } catch (error) {
        settle(error);
      }
    });
  }
}

/** The face check that a ticket asks for: it ends where it began, on the screen that says what it is for. */
export function ticketface(phone, { found, since, verification }) {
  const { platform, account } = phone.jingtong.session;
  const back = (more) => phone.open("confirm", { found, since, ...more });
  const failed = explain({ code: "face_failed" });
  return camera({
    platform,
    name: account.name,
    verification,
    back: () => back({ notice: CANCELLED }),
    // Whether it passed the server asks the platform: what is pressed here is not believed.
    happened: async (outcome) =>
      back(outcome === "pass" ? { shown: true } : { notice: `${failed.title}。${failed.text}` }),
    troubled: (error) => back({ notice: explain(error).text }),
  });
}

// `happened` is what follows a face that was shown, `troubled` what an error leads to.
function camera({ platform, name, verification, back, happened, troubled }) {
  const said = h("div", { role: "alert" });
  const doing = h("p", { class: "faint centre", role: "status" });
  const pass = h("button", { type: "button", class: "primary", onclick: () => act(pass, "pass") }, "通过");
  const fail = h("button", { type: "button", class: "secondary", onclick: () => act(fail, "fail") }, "不通过");
  const cancel = h("button", { type: "button", class: "secondary", onclick: () => act(cancel, "cancel") }, "取消");

  return {
    title: "人脸识别",
    back,
    said,
    doing,
    body: [
      h("div", { class: "lens" }, icon("face", "lens-face"), h("span", { class: "lens-tag" }, "模拟")),
      h("h1", { class: "centre" }, "人脸识别（模拟）"),
      h("p", { class: "lead centre" }, `由${platformName(platform)}核对：正在操作的是不是 ${name} 本人。`),
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
    footer: h("div", { class: "choices thirds" }, pass, h("div", { class: "pair" }, fail, cancel)),
  };

  function act(button, outcome) {
    return busy(button, outcome === "cancel" ? "正在取消…" : "正在识别…", async () => {
      const others = [pass, fail, cancel].filter((other) => other !== button);
      for (const other of others) other.setAttribute("aria-disabled", "true");
      said.replaceChildren();
      try {
        await happen(verification, outcome);
        if (outcome === "cancel") back();
        else await happened(outcome);
      } catch (error) {
        troubled(error);
      } finally {
        doing.textContent = "";
        for (const other of others) other.removeAttribute("aria-disabled");
      }
    });
  }
}
