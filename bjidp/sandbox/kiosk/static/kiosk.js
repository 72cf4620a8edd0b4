// The kiosk's screen: a moving code until somebody has confirmed, a greeting, and the end of it.

const LOOK = 1_000; // Milliseconds between two looks: a frame is shown for two seconds.
const IDLE = 30; // Seconds in which nobody touches the screen, after which whoever was here has gone.
const LEVELS = { L1: "未实名", L2: "初级认证", L3: "中级认证", L4: "高级认证" };
const WHY = {
  refused: "手机上拒绝了这次登录",
  expired: "这个二维码已经过期",
  unreachable: "现在连不上统一身份认证平台",
};

const part = (id) => document.getElementById(id);
const SECTIONS = ["waiting", "welcome", "over"].map(part);
let visit = null;
let turn = 0; // Rises with every visit: what an older one is told counts no more.
let idle = null;

part("again").addEventListener("click", begin);
part("leave").addEventListener("click", leave);
for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => idle?.restart());
begin();

async function begin() {
  turn += 1;
  const mine = turn;
  idle?.stop();
  idle = null;
  try {
    const answer = await fetch("/kiosk/visits", { method: "POST" });
    const told = await answer.json();
    if (mine !== turn) return;
    if (told.visit) {
      visit = told.visit;
      await look(mine);
    } else over(told.reason);
  } catch {
    if (mine === turn) over("unreachable");
  }
}

async function look(mine) {
  while (mine === turn) {
    const told = await ask();
    if (mine !== turn) return;
    if (told?.state === "waiting") waiting(told);
    else if (told?.state === "welcome") return welcome(told);
    else if (told) return over(told.reason);
    await new Promise((done) => setTimeout(done, LOOK));
  }
}

// Null while the kiosk behind does not answer: the next look may find it.
async function ask() {
  try {
    const answer = await fetch(`/kiosk/visits/${visit}`);
    return answer.status === 404 ? { state: "over", reason: "expired" } : await answer.json();
  } catch {
    return null;
  }
}

function waiting({ picture, text, user_code: code, address, left }) {
  show("waiting");
  const image = part("picture");
  image.src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
  image.dataset.text = text;
  part("code").textContent = code;
  part("address").textContent = address;
  part("left").textContent = `${Math.floor(left / 60)} 分 ${String(left % 60).padStart(2, "0")} 秒`;
}

function welcome({ name, level }) {
  show("welcome");
  part("hello").textContent = `您好，${name}`;
  part("level").textContent = `实名等级：${LEVELS[level] ?? "未知"}`;
  part("hello").focus();
  idle = countdown(leave);
}

function over(reason) {
  show("over");
  part("why").textContent = WHY[reason] ?? WHY.unreachable;
  part("why").focus();
}

async function leave() {
  idle?.stop();
  try {
    await fetch(`/kiosk/visits/${visit}`, { method: "DELETE" });
  } finally {
    begin();
  }
}

function show(name) {
  for (const section of SECTIONS) section.hidden = section.id !== name;
}

function countdown(end) {
  let left = IDLE;
  const tell = () => {
    part("seconds").textContent = String(left);
  };
  const timer = setInterval(() => {
    left -= 1;
    tell();
    if (left <= 0) end();
  }, 1_000);
  tell();
  return {
    restart: () => {
      left = IDLE;
      tell();
    },
    stop: () => clearInterval(timer),
  };
}
