// A website whose users log in at bjidp: code and PKCE, pushed requests, refresh, and log-out on both sides.
//
//   npm install
//   ISSUER=http://127.0.0.1:8080 CLIENT_ID=… CLIENT_SECRET=… node site.mjs
//
// Registered beforehand (bjidp clients add) with http://127.0.0.1:3000/callback among its redirect_uris. A site that
// signs instead of keeping a secret (private_key_jwt) has CLIENT_KEY, a private JWK on P-256, in the place of it.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRemoteJWKSet, importJWK, jwtVerify } from "jose";
import * as oidc from "openid-client";

const {
  ISSUER = "http://127.0.0.1:8080",
  PORT = "3000",
  CLIENT_ID,
  CLIENT_SECRET,
  CLIENT_KEY,
  SCOPE = "openid profile",
  PUSHED,
} = process.env;
const own = `http://127.0.0.1:${PORT}`;

const issuer = new URL(ISSUER);
const proof = CLIENT_KEY
  ? oidc.PrivateKeyJwt(await importJWK(JSON.parse(CLIENT_KEY), "ES256"))
  : oidc.ClientSecretBasic(CLIENT_SECRET);
const provider = await oidc.discovery(issuer, CLIENT_ID, undefined, proof, {
  // On this machine alone: everywhere else the issuer is https.
  execute: issuer.protocol === "http:" ? [oidc.allowInsecureRequests] : [],
});
const keys = createRemoteJWKSet(new URL(provider.serverMetadata().jwks_uri));

// A real site keeps these in its database, and by a cookie that says __Host- and Secure. Cookies do not tell ports apart.
const visitors = new Map();
const cookieName = `visitor_${PORT}`;

const pages = {
  "GET /": home,
  "GET /login": login,
  "GET /callback": callback,
  "POST /refresh": refresh,
  "POST /withdraw": withdraw,
  "POST /logout": logout,
  "POST /backchannel-logout": told,
};

async function home({ visitor }) {
  if (!visitor.tokens) return '<p>尚未登录</p><p><a href="/login">登录</a></p>';
  const { access_token } = visitor.tokens;
  let read;
  try {
    read = await oidc.fetchUserInfo(provider, access_token, visitor.claims.sub);
  } catch {
    // The access token is over, or its owner does not want this site to read any more.
    read = null;
  }
  const good = await oidc.tokenIntrospection(provider, access_token);
  return `<p>您好，${text(read?.nickname ?? "")}</p>
    <pre id="claims">${text(JSON.stringify({ id: visitor.claims, read, good }, null, 2))}</pre>
    ${visitor.tokens.refresh_token ? button("/refresh", "刷新") : ""} ${button("/withdraw", "交还令牌")} ${button("/logout", "退出")}`;
}

async function login({ visitor }) {
  // Kept for this browser alone: an answer that does not fit them is somebody else's (login CSRF).
  visitor.verifier = oidc.randomPKCECodeVerifier();
  visitor.state = oidc.randomState();
  visitor.nonce = oidc.randomNonce();
  const asked = {
    redirect_uri: `${own}/callback`,
    scope: SCOPE,
    code_challenge: await oidc.calculatePKCECodeChallenge(visitor.verifier),
    code_challenge_method: "S256",
    state: visitor.state,
    nonce: visitor.nonce,
    // Without an agreement of this moment there is no refresh token (OpenID Connect Core, section 11).
    ...(SCOPE.includes("offline_access") && { prompt: "consent" }),
  };
  const build = PUSHED ? oidc.buildAuthorizationUrlWithPAR : oidc.buildAuthorizationUrl;
  return { to: await build(provider, asked) };
}

async function callback({ visitor, url, cookie }) {
  const tokens = await oidc.authorizationCodeGrant(provider, url, {
    pkceCodeVerifier: visitor.verifier,
    expectedState: visitor.state,
    expectedNonce: visitor.nonce,
    idTokenExpected: true,
  });
  // A session id from before the login would be known to whoever has planted it.
  visitors.delete(cookie);
  return { to: "/", as: { tokens, claims: tokens.claims() } };
}

async function refresh({ visitor }) {
  visitor.tokens = await oidc.refreshTokenGrant(provider, visitor.tokens.refresh_token);
  return { to: "/" };
}

async function withdraw({ visitor }) {
  await oidc.tokenRevocation(provider, visitor.tokens.access_token);
  return { to: "/" };
}

async function logout({ visitor, cookie }) {
  visitors.delete(cookie);
  if (!visitor.tokens) return { to: "/" };
  return {
    to: oidc.buildEndSessionUrl(provider, {
      id_token_hint: visitor.tokens.id_token,
      post_logout_redirect_uri: `${own}/`,
    }),
  };
}

// The user has logged out somewhere else (OpenID Connect Back-Channel Logout 1.0, section 2.6).
async function told({ body }) {
  const { payload } = await jwtVerify(new URLSearchParams(body).get("logout_token") ?? "", keys, {
    issuer: ISSUER,
    audience: CLIENT_ID,
    typ: "logout+jwt",
    requiredClaims: ["iat", "jti", "events"],
  });
  const event = "http://schemas.openid.net/event/backchannel-logout";
  if (!payload.events[event] || payload.nonce || !(payload.sid || payload.sub)) throw new Error("no logout token");
  for (const [cookie, { claims }] of visitors)
    if (payload.sid ? claims?.sid === payload.sid : claims?.sub === payload.sub) visitors.delete(cookie);
  console.log("logged out elsewhere");
  return "";
}

createServer(async (request, response) => {
  const url = new URL(request.url, own);
  const cookies = Object.fromEntries((request.headers.cookie ?? "").split("; ").map((pair) => pair.split("=")));
  let cookie = cookies[cookieName];
  try {
    let body = "";
    for await (const chunk of request) if ((body += chunk).length > 65536) throw new Error("too much");
    const page = pages[`${request.method} ${url.pathname}`];
    if (!page) return void response.writeHead(404).end();
    // Another site may not press our buttons; the provider calls without a browser.
    const origin = request.headers.origin;
    if (request.method === "POST" && origin && origin !== own) return void response.writeHead(403).end();
    const known = visitors.get(cookie);
    if (!known) cookie = randomUUID();
    const visitor = known ?? {};
    const answer = await page({ visitor, url, body, cookie });
    if (page !== told && page !== logout) {
      if (answer.as) cookie = randomUUID();
      visitors.set(cookie, answer.as ?? visitor);
      response.setHeader("Set-Cookie", `${cookieName}=${cookie}; Path=/; HttpOnly; SameSite=Lax`);
    }
    response.setHeader("Cache-Control", "no-store");
    if (answer.to) return void response.writeHead(303, { Location: String(answer.to) }).end();
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><html lang="zh-CN"><title>示例网站</title>${answer}</html>`);
  } catch (error) {
    // What the provider or the library says: for whoever runs the site, not for its visitors.
    console.error(error.error ?? error.code ?? error.name, error.error_description ?? error.message);
    response.writeHead(400, { "Content-Type": "text/html; charset=utf-8" });
    response.end('<!doctype html><html lang="zh-CN"><title>示例网站</title><p>登录没有完成</p><a href="/login">重新登录</a></html>');
  }
}).listen(Number(PORT), "127.0.0.1", () => console.log(`ready ${own}`));

function button(action, words) {
  return `<form method="post" action="${action}" style="display:inline"><button>${words}</button></form>`;
}

function text(value) {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
