// One HTTP call, and the three ways it ends: an answer, a problem with a code, or nothing at all.

/** The other side said no: `code` is stable, `details` is the whole problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, details, retryAfter) {
    super(details.code ?? `http_${status}`);
    this.status = status;
    this.code = details.code ?? "unknown";
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** No answer came: whether the call took effect is not known. */
export class Lost extends Error {
  constructor(cause) {
    super("lost", { cause });
    this.code = "lost";
  }
}

// The relay's own words for a server that gave no answer: for the phone that is the same as a dead network.
const SILENT = new Set(["server_unreachable", "server_timeout"]);
const PATIENCE = 35_000;

/** Send JSON (or a picture) and return the JSON answer, null for 204. Throws Problem or Lost. */
export async function call(method, address, { body, picture, token } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (picture) headers["Content-Type"] = picture.type;
  let response;
  let answer;
  try {
    response = await fetch(address, {
      method,
      headers,
      body: picture ?? (body === undefined ? undefined : JSON.stringify(body)),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer = response.status === 204 ? null : await response.json();
  } catch (cause) {
    if (response && !response.ok) throw new Problem(response.status, {}, seconds(response));
    throw new Lost(cause);
  }
  if (response.ok) return answer;
  if (SILENT.has(answer?.code)) throw new Lost(answer.code);
  throw new Problem(response.status, answer ?? {}, seconds(response));
}

function seconds(response) {
  const value = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(value) ? value : null;
}

/** Wait `milliseconds`. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
