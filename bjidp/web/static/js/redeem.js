// Turning a grant into a session. The page learns where to go from the answer, never from its own address.

const PATIENCE = 10_000; // Milliseconds: an answer that takes longer counts as lost.

/**
 * Post the grant and say what came of it: { outcome, next?, tries?, seconds? }, with outcome one of
 * entered, wrong, unknown, signed-in, refused, foreign, busy, down.
 */
export async function redeem(grant, code) {
  const answer = await posted(code === null ? { grant } : { grant, code });
  if (!answer) return { outcome: "down", seconds: 5 };
  const body = await answer.json().catch(() => ({}));
  const seconds = Number.parseInt(answer.headers.get("Retry-After"), 10) || 5;
  if (answer.ok) return { outcome: "entered", next: local(body.next) };
  if (answer.status === 429) return { outcome: "busy", seconds };
  if (answer.status >= 500) return { outcome: "down", seconds };
  const outcomes = {
    code_wrong: "wrong",
    already_signed_in: "signed-in",
    account_refused: "refused",
    origin_refused: "foreign",
  };
  return { outcome: outcomes[body.code] ?? "unknown", tries: body.tries_left };
}

async function posted(body) {
  const headers = { "Content-Type": "application/json" };
  // A grant is used once: the second post of a lost answer is safe, and finds out which of the two was lost.
  for (const pause of [500, 0]) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      return await fetch("/qr/redeem", { method: "POST", headers, body: JSON.stringify(body), signal });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return null;
}

function local(next) {
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.href : "/centre";
}
