// What lies over the page: the frame of a survey, and a tab's button. A module of its own, which only
// pages load whose survey has such a mode. The build puts frame.css in the place of the literal.
//
// Both kinds lie in the browser's top layer, above every z-index: a dialog, which the browser makes
// modal, keeps the focus in and gives it back; and a popover, which takes no focus unless the
// visitor asked for it.
const sheet = new CSSStyleSheet();
sheet.replaceSync("__AFTERWORD_FRAME_STYLE__");
// Once, however often a survey comes back to its tab.
const dress = (root) => {
  root.adoptedStyleSheets = [...new Set([...root.adoptedStyleSheets, sheet])];
};

// One overlay at a time, in all tabs of the site: gives what lets the next one in, or nothing.
// The browser does so by itself when a tab is gone.
export const alone = () =>
  new Promise(async (got) => {
    try {
      await navigator.locks.request("afterword", { ifAvailable: true }, (lock) => (lock ? new Promise(got) : got()));
    } catch {
      // No locks here: a page without TLS.
      got(() => {});
    }
  });

// Gives what takes it away again and says whether the visitor has answered.
export const frame = (root, mount, modal, asked, leave, position) => {
  const doc = document;
  const before = doc.activeElement;
  const frame = doc.createElement(modal ? "dialog" : "div");
  frame.part = frame.className = "frame";
  frame.tabIndex = -1;
  root.host.setAttribute("over", position || "");
  root.append(frame);
  const unmount = mount(frame);
  dress(root);
  // The card's name is the dialog's as well.
  if (modal) frame.ariaLabel = frame.firstElementChild.ariaLabel;
  frame.addEventListener("click", (event) => {
    // The backdrop counts as the frame itself.
    if ((modal && event.target == frame) || event.target.closest("[part=close]")) leave();
  });
  frame.addEventListener("close", leave);
  frame.addEventListener("keydown", (event) => event.key == "Escape" && !modal && leave(), true);
  if (modal) frame.showModal();
  else if (frame.showPopover) {
    frame.popover = "manual";
    frame.showPopover();
  }
  if (asked && !modal) frame.focus();
  return () => {
    const inside = root.activeElement;
    const answered = !/asking|refused/.test(frame.firstElementChild.dataset.state);
    unmount();
    frame.remove();
    // A focus that was in here goes back to where it was before.
    if (inside && before) before.focus();
    return answered;
  };
};

// A tab's button; what it says is in the first wished language that there is.
export const tab = (root, labels, wish, open) => {
  dress(root);
  // On a tag the words are plain; in the rules there is one pair for each language.
  const pairs = Array.isArray(labels) ? labels : [["", labels || "?"]];
  const spoken = wish.split(",").map((tag) => tag.split("-")[0]);
  const fits = spoken.map((tag) => pairs.find(([language]) => language == tag)).find(Boolean);
  const button = document.createElement("button");
  button.part = button.className = "tab";
  button.type = "button";
  // Within, since some engines write a button's own words across.
  const words = button.appendChild(document.createElement("span"));
  words.textContent = (fits || pairs[0])[1];
  button.onclick = open;
  root.append(button);
  return () => button.remove();
};
