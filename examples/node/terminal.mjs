// A terminal that logs its user in without a browser (RFC 8628): 京通 scans what it shows, and confirms.
//
//   npm install
//   ISSUER=http://127.0.0.1:8080 CLIENT_ID=… node terminal.mjs
//
// Registered beforehand (bjidp clients add) with token_endpoint_auth_method none and the grant
// urn:ietf:params:oauth:grant-type:device_code.

import * as oidc from "openid-client";

const { ISSUER = "http://127.0.0.1:8080", CLIENT_ID, SCOPE = "openid profile" } = process.env;

const issuer = new URL(ISSUER);
const provider = await oidc.discovery(issuer, CLIENT_ID, undefined, oidc.None(), {
  // On this machine alone: everywhere else the issuer is https.
  execute: issuer.protocol === "http:" ? [oidc.allowInsecureRequests] : [],
});

// A terminal keeps no secret: whoever has the codes alone is given nothing.
const verifier = oidc.randomPKCECodeVerifier();
const codes = await oidc.initiateDeviceAuthorization(provider, {
  scope: SCOPE,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});

console.log(`请用京通扫一扫：${codes.verification_uri_complete}`);
console.log(`京通会问屏幕上的代码是不是：${codes.user_code}`);

try {
  // Asks as often as it may, and slower when it is told to.
  const tokens = await oidc.pollDeviceAuthorizationGrant(provider, codes, { code_verifier: verifier });
  const read = await oidc.fetchUserInfo(provider, tokens.access_token, tokens.claims().sub);
  console.log(`已登录：${read.nickname ?? read.sub}`);
} catch (error) {
  console.error(`没有登录：${error.error ?? error.code}`);
  process.exitCode = 1;
}
