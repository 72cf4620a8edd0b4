// 身份验证: the first login registers the account (REG-7).

import { busy, freshId, h } from "./dom.js";
import { note, told } from "./notes.js";
import { CONSENT, DOCUMENTS, explain, fieldFaults } from "./words.js";

const DAYS = [
  [30, "30天免登录"],
  [7, "7天免登录"],
  [0, "不保留，下次重新识别"],
];

export function identity(phone, { registration, who, facts, notice }) {
  const kept = facts ?? {
    document_type: who.person?.document_type ?? "resident_id",
    name: who.person?.name ?? "",
    document_number: who.person?.document_number ?? "",
    valid_days: 30,
  };
  const summary = h("div", { role: "alert" }, notice ? note("bad", notice) : null);
  const fields = {
    document_type: field("证件类型", (attributes) =>
      h(
        "select",
        attributes,
        Object.entries(DOCUMENTS).map(([value, name]) =>
          h("option", { value, selected: value === kept.document_type }, name),
        ),
      ),
    ),
    name: field("姓名", (attributes) =>
      h("input", { ...attributes, value: kept.name, autocomplete: "off", spellcheck: "false", placeholder: "与证件上的姓名一致" }),
    ),
    document_number: field("证件号码", (attributes) =>
      h("input", {
        ...attributes,
        value: kept.document_number,
        autocomplete: "off",
        spellcheck: "false",
        autocapitalize: "characters",
        placeholder: "请输入证件号码",
      }),
    ),
    valid_days: field("登录有效期", (attributes) =>
      h(
        "select",
        attributes,
        DAYS.map(([value, name]) => h("option", { value, selected: value === kept.valid_days }, name)),
      ),
    ),
  };
  const consent = consentBox();
  fields.agreed = consent;
  const start = h("button", { type: "submit", class: "primary", form: "identity" }, "开始人脸识别");

  return {
    title: "身份验证",
    back: () => phone.open("choose"),
    body: [
      h("h1", {}, "请填写您的身份信息"),
      h("p", { class: "lead" }, "第一次使用京通，用本人证件和人脸识别完成注册。"),
      summary,
      h(
        "form",
        { id: "identity", class: "form", novalidate: true, onsubmit: submit },
        fields.document_type.node,
        fields.name.node,
        fields.document_number.node,
        fields.valid_days.node,
        consent.node,
      ),
    ],
    footer: start,
  };

  function submit(event) {
    event.preventDefault();
    const entered = {
      document_type: fields.document_type.control.value,
      name: fields.name.control.value.trim(),
      document_number: fields.document_number.control.value.trim(),
      valid_days: Number(fields.valid_days.control.value),
    };
    const missing = {};
    if (!entered.name) missing.name = "请填写证件上的姓名";
    if (!entered.document_number) missing.document_number = "请填写证件号码";
    if (!consent.control.checked) missing.agreed = "请先阅读并勾选同意";
    if (point(missing)) return undefined;
    return busy(start, "正在提交…", async () => {
      try {
        const face = await phone.jingtong.register(who.platform, {
          registration,
          ...entered,
          agreed: ["terms", "privacy"],
        });
        phone.open("face", { registration, who, facts: entered, face });
      } catch (error) {
        const faults = error.code === "invalid_request" ? fieldFaults(error) : {};
        if (point(faults)) return;
        const saying = explain(error);
        if (saying.next === "login") phone.failed(error);
        else summary.replaceChildren(told(saying));
      }
    });
  }

  // Puts each fault beside its field and the cursor into the first; two or more are also listed on top.
  function point(faults) {
    for (const [name, part] of Object.entries(fields)) part.say(faults[name] ?? "");
    const named = Object.keys(fields).filter((name) => faults[name]);
    summary.replaceChildren();
    if (named.length === 0) return false;
    if (named.length > 1) {
      summary.append(
        note(
          "bad",
          h("p", {}, `有 ${named.length} 处需要修改：`),
          h(
            "ul",
            {},
            named.map((name) => h("li", {}, h("a", { href: `#${fields[name].control.id}` }, faults[name]))),
          ),
        ),
      );
    }
    fields[named[0]].control.focus();
    return true;
  }
}

function field(label, control) {
  const id = freshId("field");
  const wrong = h("p", { class: "fault", id: `${id}-fault` });
  const node = control({ id, "aria-describedby": `${id}-fault`, class: "control" });
  return {
    control: node,
    node: h("div", { class: "field" }, h("label", { class: "label", for: id }, label), node, wrong),
    say: (words) => mark(node, wrong, words),
  };
}

function consentBox() {
  const id = freshId("field");
  const wrong = h("p", { class: "fault", id: `${id}-fault` });
  const box = h("input", { type: "checkbox", id, required: true, "aria-describedby": `${id}-fault` });
  return {
    control: box,
    node: h("div", { class: "field consent" }, h("label", {}, box, h("span", {}, CONSENT)), wrong),
    say: (words) => mark(box, wrong, words),
  };
}

function mark(control, wrong, words) {
  wrong.textContent = words;
  if (words) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
