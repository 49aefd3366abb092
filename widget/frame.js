// What lies over the page: the frame of a survey, and a tab's button; comes with the glue, once a
// survey is due.
//
// Both kinds lie in the browser's top layer, above every z-index: a dialog, which the browser makes
// modal, keeps the focus in and gives it back; and a popover, which takes no focus unless the
// visitor asked for it.
export const frame = (root, mount, modal, asked, leave) => {
  const doc = document;
  const before = doc.activeElement;
  const frame = doc.createElement(modal ? "dialog" : "div");
  frame.part = frame.className = "frame";
  frame.tabIndex = -1;
  root.append(frame);
  const unmount = mount(frame);
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
    unmount();
    frame.remove();
    // A focus that was in here goes back to where it was before.
    if (inside && before) before.focus();
  };
};

// A tab's button; what it says is in the first wished language that there is.
export const tab = (root, labels, wish, open) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`.tab {
    position: fixed; inset: 40% 0 auto auto; z-index: 2147483647; margin: 0; padding: 14px 10px; border: 0;
    border-radius: 8px 0 0 8px; writing-mode: vertical-rl; cursor: pointer;
    background: var(--afterword-brand, #3b5bdb); color: var(--afterword-on-brand, #fff);
    font: 600 15px/1.2 var(--afterword-font, system-ui, sans-serif); box-shadow: 0 2px 12px rgb(16 20 38 / 20%);
  }
  :host(:dir(rtl)) .tab { inset: 40% auto auto 0; border-radius: 0 8px 8px 0; }
  .tab:focus-visible { outline: 3px solid; outline-offset: -6px; }`);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  // On a tag the words are plain; in the rules there is one pair for each language.
  const pairs = Array.isArray(labels) ? labels : [["", labels || "?"]];
  const spoken = wish.split(",").map((tag) => tag.split("-")[0]);
  const fits = spoken.map((tag) => pairs.find(([language]) => language == tag)).find(Boolean);
  const button = document.createElement("button");
  button.part = button.className = "tab";
  button.type = "button";
  button.textContent = (fits || pairs[0])[1];
  button.onclick = open;
  root.append(button);
  return () => button.remove();
};
