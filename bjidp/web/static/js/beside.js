// Demonstration only: tells phones beside this page the text of each frame, as a camera would read it. They are in the
// page that frames this one; or, where nothing does, in other windows, which a page of theirs inside of this one tells.

const { embedder } = document.querySelector("[data-embedder]").dataset;

let teller = null;

function tell(listener, text) {
  listener.postMessage({ type: "bjidp-frame", text }, embedder);
}

function open(text) {
  teller = document.createElement("iframe");
  teller.hidden = true;
  teller.src = `${embedder}/phone/beside`;
  const listens = new Promise((loaded) => {
    teller.addEventListener("load", loaded, { once: true });
  });
  document.body.append(teller);
  return listens.then(() => tell(teller.contentWindow, text));
}

document.addEventListener("bjidp:frame", ({ detail }) => {
  if (window.parent !== window) tell(window.parent, detail.text);
  else if (teller === null) open(detail.text);
  else tell(teller.contentWindow, detail.text);
});
