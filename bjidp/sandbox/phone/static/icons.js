// Line pictures of 24 units, all decorative: the words beside them say the same.

import { s } from "./dom.js";

const PATHS = {
  back: ["M15 5l-7 7 7 7"],
  scan: ["M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8", "M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8", "M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16",
    "M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16", "M7 12h10"],
  home: ["M4 11l8-7 8 7", "M6 9.5V20h12V9.5", "M10 20v-5h4v5"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5"],
  phone: ["M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z", "M11 18h2"],
  tick: ["M5 12.5l4.5 4.5L19 7.5"],
  cross: ["M6.5 6.5l11 11", "M17.5 6.5l-11 11"],
  warning: ["M12 4L2.8 19.5h18.4z", "M12 10v4.5", "M12 17v.2"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5l3.5 2"],
  blind: ["M4 8h3l1.5-2.5h7L17 8h3v11H4z", "M12 16.2a3 3 0 1 0 0-6 3 3 0 0 0 0 6z", "M3.5 3.5l17 17"],
  picture: ["M4 5h16v14H4z", "M4 16l5-5 4 4 2.5-2.5L20 17", "M15.5 9.5v.1"],
  handset: ["M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3z", "M11 18h2"],
  screen: ["M3 5h18v11H3z", "M9 20h6", "M12 16v4"],
  shield: ["M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6z", "M8.7 12l2.4 2.4 4.4-4.6"],
  leave: ["M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z", "M12 13a1 1 0 1 0 0-2 1 1 0 0 0 0 2z"],
  chevron: ["M9.5 6l6 6-6 6"],
  inbox: ["M4 13l3-8h10l3 8v6H4z", "M4 13h5l1 2.5h4l1-2.5h5"],
  face: ["M12 21c4.4 0 7-3.6 7-9s-2.6-9-7-9-7 3.6-7 9 2.6 9 7 9z", "M9 10.5v.6", "M15 10.5v.6", "M9 15.2c.9.9 1.9 1.3 3 1.3s2.1-.4 3-1.3"],
};

/** A picture by name, in the colour of the text around it. */
export function icon(name, className = "icon") {
  return s(
    "svg",
    { viewBox: "0 0 24 24", class: className, "aria-hidden": "true", focusable: "false" },
    PATHS[name].map((d) => s("path", { d })),
  );
}
