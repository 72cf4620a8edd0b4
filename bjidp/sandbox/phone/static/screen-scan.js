// 扫一扫: the live camera, a picture from the album (which the platform refuses), the page beside, or pasted text.
// Nothing is scanned by itself: a text that came with the address only lies ready in its field (M3).

import { NoCamera, readFile, watch } from "./camera.js";
import { busy, freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { note } from "./notes.js";

// How the text came to the mini-program. 0 is its own live 扫一扫; WeChat numbers the other ways (vendors: scene values).
const LIVE = 0;
const LAUNCHED_BY_CODE = { wechat: 1011 };
const FROM_ALBUM = { wechat: 1012 };
const NOT_LIVE = 1;

const NO_CAMERA = {
  NotAllowedError: "没有使用摄像头的许可。您可以在浏览器里允许，或用下面的办法。",
  NotFoundError: "这台设备没有摄像头。请用下面的办法。",
  NotReadableError: "摄像头正被别的程序使用。请关掉它，或用下面的办法。",
};

export function scan(phone) {
  const platform = phone.jingtong.session.platform;
  const launched = phone.takeLaunch();
  const state = h("p", { class: "lens-words", role: "status" }, "正在打开摄像头…");
  const video = h("video", { class: "lens-video", muted: true, playsinline: true, "aria-label": "摄像头画面" });
  video.muted = true;
  const said = h("div", { role: "alert" });
  let stop = () => {};
  let left = false;
  let scanning = false;

  const id = freshId("text");
  const text = h("textarea", {
    id,
    class: "control",
    rows: "2",
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    "aria-describedby": `${id}-hint`,
    placeholder: "https://…/q/…",
    value: launched ?? "",
  });
  const read = h("button", { type: "submit", class: "primary" }, "识别");
  const album = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp", class: "file", onchange: pick });
  const beside = h("button", { type: "button", class: "tool", onclick: look }, icon("screen"), "扫旁边的页面");
  const other = h("button", { type: "button", class: "tool", onclick: lookElsewhere }, icon("screen"), "扫另一个窗口");
  other.hidden = phone.neighbour.lookElsewhere() === null;
  phone.neighbour.whenElsewhere(() => (other.hidden = false));

  open();
  return {
    title: "扫一扫",
    dark: true,
    back: () => phone.open("home"),
    leave: () => {
      left = true;
      phone.neighbour.whenElsewhere(() => {});
      stop();
    },
    body: [
      h("h1", { class: "hidden" }, "扫一扫"),
      launched
        ? note(
            "warn",
            "您是从链接打开京通的，二维码内容已经放进下面的框里，但不会自动识别：链接可能是别人发来的。确认它出自您自己电脑的屏幕，再点“识别”。",
          )
        : null,
      h(
        "div",
        { class: "lens-frame" },
        video,
        h("span", { class: "lens-corners", "aria-hidden": "true" }),
        icon("blind"),
        state,
      ),
      h(
        "div",
        { class: "tools" },
        phone.neighbour.present ? beside : null,
        other,
        h("label", { class: "tool" }, album, icon("picture"), h("span", {}, "从相册选取")),
      ),
      said,
      h(
        "form",
        { class: "card paste", novalidate: true, onsubmit: paste },
        h("label", { class: "label", for: id }, "二维码内容"),
        h("p", { class: "hint", id: `${id}-hint` }, "没有摄像头时，把二维码里的文字粘贴到这里"),
        text,
        read,
      ),
    ],
  };

  async function open() {
    try {
      const off = await watch(video, (seen) => take(seen, LIVE));
      if (left) off();
      else {
        stop = off;
        video.parentElement.classList.add("live");
        state.textContent = "对准电脑屏幕上的二维码";
      }
    } catch (error) {
      if (!(error instanceof NoCamera)) throw error;
      video.parentElement.classList.add("blind");
      state.textContent = NO_CAMERA[error.message] ?? "这里不能使用摄像头。请用下面的办法。";
    }
  }

  function paste(event) {
    event.preventDefault();
    const entered = text.value.trim();
    if (!entered) {
      warn("请先粘贴二维码里的文字。");
      text.focus();
      return;
    }
    const scene = launched !== null && entered === launched ? (LAUNCHED_BY_CODE[platform] ?? LIVE) : LIVE;
    busy(read, "正在识别…", () => take(entered, scene));
  }

  function look() {
    const seen = phone.neighbour.look();
    if (seen === null) warn("旁边的页面现在没有显示二维码。请先在那里打开扫码登录。");
    else busy(beside, "正在识别…", () => take(seen, LIVE));
  }

  function lookElsewhere() {
    const seen = phone.neighbour.lookElsewhere();
    if (seen === null) warn("另一个窗口现在没有显示二维码。请先在那里打开扫码登录。");
    else busy(other, "正在识别…", () => take(seen, LIVE));
  }

  async function pick() {
    const [file] = album.files;
    album.value = "";
    if (!file) return;
    try {
      const found = await readFile(file);
      if (left) return;
      if (found === null) warn("这张图片里没有找到二维码。");
      else await take(found, FROM_ALBUM[platform] ?? NOT_LIVE);
    } catch (error) {
      phone.failed(error);
    }
  }

  async function take(seen, scene) {
    if (scanning || left) return;
    scanning = true;
    said.replaceChildren();
    state.textContent = "正在识别…";
    try {
      const found = await phone.jingtong.scan(seen, scene);
      if (!left) phone.open("confirm", { found });
    } catch (error) {
      if (!left) phone.failed(error, { again: () => phone.open("scan") });
    } finally {
      scanning = false;
    }
  }

  function warn(words) {
    said.replaceChildren(note("warn", words));
  }
}
