// The demo page: tells the phone what the login page beside it shows, as light would. Each side is believed only when
// the message comes from its own frame and its own origin.

const login = document.getElementById("login");
const phone = document.getElementById("phone");
const from = new URL(document.body.dataset.loginOrigin).origin;

const SHOWN = 2_000; // Milliseconds one frame of the code is shown.
let last = { text: null, at: -Infinity };

addEventListener("message", (event) => {
  if (event.source !== login.contentWindow || event.origin !== from) return;
  if (event.data?.type !== "bjidp-frame") return;
  last = { text: typeof event.data.text === "string" ? event.data.text : null, at: performance.now() };
  tell();
});

// A phone that comes later sees what is on the screen then, and need not wait for the next frame.
phone.addEventListener("load", () => performance.now() - last.at < SHOWN && tell());

function tell() {
  phone.contentWindow.postMessage({ type: "bjidp-frame", text: last.text }, location.origin);
}

// The login page is made for a computer's width: where the frame is narrower, it is shown smaller rather than folded.
const WIDE = 1040; // CSS pixels
const SMALLEST = 0.6; // Below this the code would be too small to scan with a real phone; the page folds instead.
const glass = login.parentElement;

new ResizeObserver(([entry]) => {
  const { width, height } = entry.contentRect;
  const scale = Math.min(1, width / WIDE);
  const shown = scale < SMALLEST ? 1 : scale;
  login.style.inlineSize = `${width / shown}px`;
  login.style.blockSize = `${height / shown}px`;
  login.style.transform = shown === 1 ? "" : `scale(${shown})`;
}).observe(glass);
