// What happens outside 京通: who there is, what the platform gives the app, what happens in front of the camera.

import { call } from "./wire.js";

/** The synthetic persons. */
export function people() {
  return call("GET", "/control/people");
}

/** The synthetic organisations. */
export function organisations() {
  return call("GET", "/control/organisations");
}

/** What wx.login(), my.getAuthCode() or swan.getLoginCode() gives this user of the platform. */
export async function loginCode(platform, user) {
  return (await call("POST", "/control/login-code", { body: { platform, user } })).code;
}

/** What the platform's phone button gives the mini-program of this user. */
export function phoneButton(platform, user) {
  return call("POST", "/control/phone-button", { body: { platform, user } });
}

/** The person passes, fails or leaves the platform's face check. */
export function face(verification, outcome) {
  return call("POST", "/control/face", { body: { verification, outcome } });
}

/** The text of the QR code in a PNG or JPEG, or null. */
export async function decode(picture) {
  return (await call("POST", "/phone/decode", { picture })).text;
}
