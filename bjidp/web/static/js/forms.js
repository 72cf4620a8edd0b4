// What forms do more of with a script: a code is asked for and a picture changed without losing what was typed, a password
// can be looked at. Without it each button posts the form, and the page comes back.

const POLL = 1_000;
// What was sent may yet turn out not to have arrived.
const REPORTED = 10_000;
const FOLLOWED = 60_000;
const USUAL = 60; // Seconds between two codes.

for (const form of document.querySelectorAll("form[data-form]")) enhance(form);

function enhance(form) {
  if (!form.closest("[data-off]")) settle(form);
  for (const file of form.querySelectorAll("[data-file]")) tellChosen(file);
  for (const eye of form.querySelectorAll("[data-eye]")) showPasswords(eye);
  form.querySelector("[data-captcha-next]")?.addEventListener("click", (event) => {
    event.preventDefault();
    nextCaptcha(form);
  });
  form.querySelector("[data-captcha-sound]")?.addEventListener("click", (event) => {
    event.preventDefault();
    new Audio(event.currentTarget.href).play();
  });
  // A form that a tab hides has no captcha yet: none is made for those who never turn to it.
  const picture = form.querySelector("[data-captcha='']");
  const tab = form.closest(".tab-panel");
  if (picture && tab) {
    document.addEventListener("bjidp:tab", ({ detail }) => {
      if (detail === tab.id && !picture.dataset.captcha) nextCaptcha(form);
    });
  }
  const button = form.querySelector("[data-code-button]");
  if (button) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled") !== "true") askForCode(form, button);
    });
    const field = form.querySelector("[data-code-field]");
    if (Number(field.dataset.wait) > 0) countDown(button, Number(field.dataset.wait));
    if (field.dataset.dispatch) follow(form, field.dataset.dispatch);
  }
  form.addEventListener("submit", (event) => {
    // A second press while the first is on its way would post the form twice.
    if (form.dataset.sent) event.preventDefault();
    else form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
  const wrong = form.querySelector("[aria-invalid='true']");
  const note = form.querySelector("[data-note]:not(.empty)");
  if (!form.closest("[data-off]")) (note ?? wrong)?.focus();
}

/** Put the page under the address that shows its form: going back or reloading posts nothing again. */
function settle(form) {
  const page = new URL(form.dataset.form, location.href);
  const flow = form.elements.flow?.value;
  if (flow) page.searchParams.set("flow", flow);
  history.replaceState(history.state, "", page);
}

/** Whether a file is chosen, for the style that says so in words of ours. */
function tellChosen(file) {
  const tell = () => (file.dataset.chosen = file.files.length > 0 ? "yes" : "no");
  file.addEventListener("change", tell);
  addEventListener("pageshow", tell);
  tell();
}

function showPasswords(eye) {
  const field = document.getElementById(eye.dataset.eye);
  const words = { text: eye.dataset.shown, password: eye.textContent };
  eye.hidden = false;
  eye.addEventListener("click", () => {
    field.type = field.type === "password" ? "text" : "password";
    eye.setAttribute("aria-pressed", String(field.type === "text"));
    eye.textContent = words[field.type];
  });
}

async function nextCaptcha(form) {
  let told;
  try {
    const headers = { "Content-Type": "application/json" };
    told = await (await fetch("/captcha", { method: "POST", headers, body: "{}" })).json();
  } catch {
    told = {};
  }
  if (told.id) return setCaptcha(form, told.id);
  // A page that was open too long asks as it would without a script: the answer is a page with what was typed.
  const button = form.querySelector("[data-captcha-next]");
  if (told.code === "browser_unknown") return form.requestSubmit(button);
  showNote(form, told.title ? `${told.title}。${told.detail}` : button.dataset.offline);
}

/** Show another captcha, or with an empty id none: once a code was sent there is nothing to read until the next one. */
function setCaptcha(form, id) {
  const picture = form.querySelector("[data-captcha]");
  if (!picture || picture.dataset.captcha === id) return;
  form.querySelector("[data-captcha-field]").hidden = !id;
  picture.dataset.captcha = id;
  form.elements.captcha_id.value = id;
  form.elements.captcha.value = "";
  if (!id) return;
  picture.src = `/captcha/${id}.png`;
  picture.hidden = false;
  form.querySelector("[data-captcha-sound]").href = `/captcha/${id}.wav`;
}

async function askForCode(form, button) {
  button.setAttribute("aria-disabled", "true");
  const body = new URLSearchParams(new FormData(form));
  body.set("act", "code");
  // A code is asked for with what the code is for, and a password is no part of that.
  for (const secret of form.querySelectorAll("[data-eye]")) body.delete(document.getElementById(secret.dataset.eye).name);
  let told;
  let pause = 0;
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
    if (answer.redirected) return location.assign(answer.url);
    told = await answer.json();
    pause = Number(answer.headers.get("Retry-After"));
  } catch {
    told = { note: form.querySelector("[data-note]").dataset.offline };
  }
  button.removeAttribute("aria-disabled");
  setHidden(form, "csrf", told.csrf);
  setHidden(form, "flow", told.flow);
  settle(form);
  const unseen = form.querySelector("[data-captcha-field]")?.hidden;
  // What is no answer about the form says nothing of its captcha.
  if (typeof told.captcha === "string") setCaptcha(form, told.captcha);
  showFaults(form, told.faults ?? {});
  showNote(form, told.note ?? (told.title ? `${told.title}。${told.detail}` : null));
  // A refusal names the code that was sent before: that one is followed already.
  const field = form.querySelector("[data-code-field]");
  // A longer wait than the usual one is for the number or the address that was typed, and may be over with another one.
  const wait = Math.max(told.wait ?? 0, pause <= USUAL ? pause : 0);
  if (wait) countDown(button, wait);
  // With a captcha to be read no code was sent now, and the one before may serve no more.
  if (told.dispatch && !told.captcha && told.dispatch !== field.dataset.dispatch) {
    field.dataset.dispatch = told.dispatch;
    form.elements.code.focus();
    follow(form, told.dispatch);
  }
  if (unseen && told.captcha) form.elements.captcha.focus();
}

function setHidden(form, name, value) {
  if (!value) return;
  if (!form.elements[name]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    form.append(field);
  }
  form.elements[name].value = value;
}

function showFaults(form, faults) {
  for (const place of form.querySelectorAll("[data-fault]")) {
    const words = faults[place.dataset.fault];
    const field = document.getElementById(`f-${place.dataset.fault}`);
    place.textContent = words ?? "";
    place.hidden = !words;
    if (words) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
  form.querySelector("[aria-invalid='true']")?.focus();
}

function showNote(form, words) {
  const note = form.querySelector("[data-note]");
  note.textContent = words ?? "";
  note.classList.toggle("empty", !words);
}

function countDown(button, seconds) {
  const end = performance.now() + seconds * 1_000;
  button.setAttribute("aria-disabled", "true");
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1_000);
    if (left > 0) {
      button.textContent = button.dataset.waiting.replace("{seconds}", left);
      setTimeout(tick, 250);
    } else {
      button.textContent = button.dataset.again;
      button.removeAttribute("aria-disabled");
    }
  };
  tick();
}

async function follow(form, dispatch) {
  const state = form.querySelector("[data-code-state]");
  const end = performance.now() + FOLLOWED;
  let pause = POLL;
  form.dataset.following = dispatch;
  state.textContent = state.dataset.sending;
  while (performance.now() < end) {
    const answer = await fetch(`/dispatches/${dispatch}`).catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    // Another code was asked for meanwhile.
    if (form.dataset.following !== dispatch || answer?.status === 404) return;
    if (told?.state === "failed") {
      state.textContent = "";
      showNote(form, told.message);
      return;
    }
    if (told?.state === "sent" && pause === POLL) {
      state.textContent = state.dataset.sent;
      pause = REPORTED;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
