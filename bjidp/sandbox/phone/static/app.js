// The phone: one screen at a time in one frame, and what the screens share.

import { Code } from "./code.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { Jingtong } from "./jingtong.js";
import { Neighbour } from "./neighbour.js";
import { bind } from "./screen-bind.js";
import { choose } from "./screen-choose.js";
import { claim } from "./screen-claim.js";
import { confirm } from "./screen-confirm.js";
import { devices } from "./screen-devices.js";
import { face, ticketface } from "./screen-face.js";
import { home } from "./screen-home.js";
import { identity } from "./screen-identity.js";
import { mine } from "./screen-mine.js";
import { result } from "./screen-result.js";
import { scan } from "./screen-scan.js";
import { explain, platformName, PLATFORMS } from "./words.js";

const SCREENS = { bind, choose, claim, confirm, devices, face, home, identity, mine, result, scan, ticketface };
const LOGGED_IN = new Set(["bind", "home", "mine", "devices", "scan", "confirm", "ticketface"]);
const KINDS = { ticket_expired: "time", frame_stale: "time", rate_limited: "time", face_pending: "time" };

class Phone {
  #leave = null;
  #launch;

  constructor(page) {
    this.page = page;
    this.parts = Object.fromEntries(
      ["frame", "back", "title", "capsule-name", "capsule-dot", "leave", "main", "footer", "tabs"].map((id) => [
        id,
        page.document.getElementById(id),
      ]),
    );
    this.jingtong = new Jingtong(page.sessionStorage);
    this.code = new Code(page.sessionStorage);
    this.neighbour = new Neighbour(page);
    this.parts.frame.classList.toggle("beside", this.neighbour.present);
    this.platform = this.jingtong.session?.platform ?? PLATFORMS[0].id;
    this.#launch = launchText(page);
    this.parts.leave.addEventListener("click", () => this.open("choose"));
    for (const tab of this.parts.tabs.querySelectorAll("button")) {
      tab.addEventListener("click", () => this.open(tab.dataset.screen));
    }
  }

  start() {
    if (this.jingtong.session) this.open(this.#launch === null ? "home" : "scan");
    else {
      const notice =
        this.#launch === null
          ? null
          : "您用别的扫码工具打开了一个二维码。请先登录京通，再用扫一扫对准屏幕；京通不会自动替您扫码或确认。";
      this.open("choose", { notice });
    }
  }

  /** The text the page was opened with, once; null when there is none. */
  takeLaunch() {
    const text = this.#launch;
    this.#launch = null;
    return text;
  }

  /** Build a screen without showing it. */
  screen(name, parameters = {}) {
    return SCREENS[name](this, parameters);
  }

  /** Show a screen. */
  open(name, parameters = {}) {
    if (LOGGED_IN.has(name) && !this.jingtong.session) {
      this.#show("choose", this.screen("choose", { notice: explain({ code: "session_ended" }).text }));
      return;
    }
    this.#leave?.();
    this.#leave = null;
    this.#show(name, this.screen(name, parameters));
  }

  /** Go where the answer of a login leads. */
  arrived(answer, who) {
    this.platform = who.platform;
    if (answer.status === "ok") this.open(this.#launch === null ? "home" : "scan");
    else if (answer.status === "identity_required") this.open("identity", { registration: answer.registration, who });
    else this.open("claim", { registration: answer.registration, who, found: answer });
  }

  /** Say in words what went wrong, with the next step as the button. */
  failed(error, { again } = {}) {
    if (!error?.code) throw error;
    const told = explain(error);
    const login = ["重新登录", () => this.open("choose")];
    const home = ["回到首页", () => this.open(this.jingtong.session ? "home" : "choose")];
    const first = {
      scan: ["重新扫码", () => this.open("scan")],
      again: ["再试一次", again ?? home[1]],
      login,
      home,
    }[told.next];
    this.open("result", {
      kind: KINDS[error.code] ?? (told.next === "login" || told.next === "again" ? "bad" : "warn"),
      title: told.title,
      text: told.text,
      actions: told.next === "home" || told.next === "login" ? [first] : [first, home],
    });
  }

  #show(name, screen) {
    const { parts } = this;
    const platform = this.jingtong.session && name !== "choose" ? this.jingtong.session.platform : this.platform;
    this.#leave = screen.leave ?? null;
    parts.frame.dataset.screen = name;
    parts.frame.classList.toggle("dark", Boolean(screen.dark));
    parts.title.textContent = screen.title;
    this.page.document.title = `${screen.title} · 京通（演示）`;
    parts["capsule-name"].textContent = name === "choose" ? "模拟手机" : platformName(platform);
    parts["capsule-dot"].className = name === "choose" ? "dot" : `dot ${platform}`;
    parts.leave.hidden = name === "choose";
    parts.back.replaceChildren(
      screen.back
        ? h("button", { type: "button", class: "nav-button", "aria-label": "返回", onclick: screen.back }, icon("back"))
        : "",
    );
    parts.main.replaceChildren(...[screen.body].flat().filter(Boolean));
    parts.footer.replaceChildren(...[screen.footer ?? []].flat());
    parts.footer.hidden = !screen.footer;
    parts.tabs.hidden = !screen.tab;
    for (const tab of parts.tabs.querySelectorAll("button")) {
      if (tab.dataset.screen === screen.tab) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    parts.main.scrollTop = 0;
    const heading = parts.main.querySelector("h1");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  }
}

// The text leaves the address at once: a reload must not bring it back, and no history keeps it.
function launchText(page) {
  const address = new URL(page.location.href);
  const text = address.searchParams.get("text");
  if (text === null) return null;
  page.history.replaceState(null, "", address.pathname);
  return text.slice(0, 512);
}

// What scrolls is scrolled by the keyboard too: where it does, it takes the focus itself.
function reachable(part) {
  const update = () => {
    if (part.scrollHeight > part.clientHeight) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  };
  new ResizeObserver(update).observe(part);
  new MutationObserver(update).observe(part, { childList: true, characterData: true, subtree: true });
}

reachable(document.getElementById("main"));
for (const slot of document.querySelectorAll("[data-icon]")) slot.replaceChildren(icon(slot.dataset.icon));
new Phone(window).start();
