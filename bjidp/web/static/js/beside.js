// Demonstration only: tells the page that frames this one the text of each frame, as a camera beside it would read it.

const { embedder } = document.querySelector("[data-embedder]").dataset;

if (window.parent !== window) {
  document.addEventListener("bjidp:frame", ({ detail }) => {
    window.parent.postMessage({ type: "bjidp-frame", text: detail.text }, embedder);
  });
}
