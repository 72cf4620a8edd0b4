// Links that already work by themselves (?tab=...) become ARIA tabs: no reload, arrow keys move.

/** Turn every `nav[data-tabs]` inside `root` into a tab list. */
export function enhanceTabs(root) {
  for (const list of root.querySelectorAll("[data-tabs]")) enhance(list);
}

function enhance(list) {
  const tabs = [...list.querySelectorAll("[data-shows]")];
  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = panelOf(tab);
    tab.id = `tab-${tab.dataset.shows}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      select(tabs, tab);
    });
  }
  list.addEventListener("keydown", (event) => {
    const now = tabs.indexOf(event.target.closest("[data-shows]"));
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (event.key === " ") event.target.click();
    if (next !== undefined) select(tabs, tabs[(next + tabs.length) % tabs.length], true);
    if (event.key === " " || next !== undefined) event.preventDefault();
  });
  mark(tabs, tabs.find((tab) => tab.hasAttribute("aria-current")) ?? tabs[0]);
}

function select(tabs, chosen, focus = false) {
  mark(tabs, chosen);
  if (focus) chosen.focus();
  history.replaceState(null, "", chosen.href);
  chosen.dispatchEvent(new CustomEvent("bjidp:tab", { bubbles: true, detail: chosen.dataset.shows }));
}

function mark(tabs, chosen) {
  for (const tab of tabs) {
    const on = tab === chosen;
    tab.removeAttribute("aria-current");
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    panelOf(tab).toggleAttribute("data-off", !on);
  }
}

function panelOf(tab) {
  return document.getElementById(tab.dataset.shows);
}
