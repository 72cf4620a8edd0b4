// Building nodes. Text only ever becomes text nodes: nothing here parses markup, so no answer can bring script (Q25).

const SVG = "http://www.w3.org/2000/svg";

/** h("button", {class: "primary", onclick: f}, "确认登录"): an element with attributes, listeners and children. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for pictures drawn in the page. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let serial = 0;

/** An id no other element of this page has. */
export function freshId(stem) {
  serial += 1;
  return `${stem}-${serial}`;
}

/** Run `work` while `button` shows `label` and cannot be pressed again: a double click is one call. */
export async function busy(button, label, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const before = [...button.childNodes];
  button.setAttribute("aria-disabled", "true");
  button.replaceChildren(label);
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.replaceChildren(...before);
  }
}
