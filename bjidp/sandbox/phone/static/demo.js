// The demo page: tells the phone what the login page beside it shows, as light would. Each side is believed only when
// the message comes from its own frame and its own origin.

const login = document.getElementById("login");
const phone = document.getElementById("phone");
const from = new URL(document.body.dataset.loginOrigin).origin;

addEventListener("message", (event) => {
  if (event.source !== login.contentWindow || event.origin !== from) return;
  if (event.data?.type !== "bjidp-frame") return;
  const text = typeof event.data.text === "string" ? event.data.text : null;
  phone.contentWindow.postMessage({ type: "bjidp-frame", text }, location.origin);
});

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
