// The rotating frame of a ticket (the text of one QR code). Pure: the caller brings key and time.

/** Import a ticket message's `key` for signing; it cannot be read back out of the browser. */
export function frameKey(text) {
  return crypto.subtle.importKey("raw", fromBase64url(text), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** Number of the frame that is due `age` seconds after the ticket was issued. */
export function frameNumber(age, step) {
  return Math.max(0, Math.floor(age / step));
}

/** `<prefix><ticket>.<t>.<mac>`: three digits of time, the first 12 characters of the MAC. */
export async function frameText({ prefix, purpose, ticket }, key, number) {
  const t = String(number).padStart(3, "0");
  const signed = new TextEncoder().encode(`bjidp.qr.v1|${purpose}|${ticket}|${t}`);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  return `${prefix}${ticket}.${t}.${toBase64url(mac.subarray(0, 9))}`;
}

function fromBase64url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toBase64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
