// Inside a page of the identity server, in a window of its own: hands on what that page shows to the phones of this
// browser. It believes the page it is in and no other, and only of the server's origin.

const from = new URL(document.body.dataset.loginOrigin).origin;
const phones = new BroadcastChannel("bjidp-beside");

addEventListener("message", (event) => {
  if (event.source !== parent || event.origin !== from) return;
  if (event.data?.type === "bjidp-frame" && typeof event.data.text === "string") phones.postMessage(event.data.text);
});
