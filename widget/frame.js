// The frame of a survey that lies over the page. A module of its own, which only pages load whose survey has such a
// mode. The build puts frame.css in the place of the literal.
//
// Both kinds lie in the browser's top layer, above every z-index: a dialog, which the browser makes
// modal, keeps the focus in and gives it back; and a popover, which takes no focus unless the
// visitor asked for it.
const sheet = new CSSStyleSheet();
sheet.replaceSync("__AFTERWORD_STYLE__");

// The way in: one overlay at a time, in all tabs of the site; one that is `asked` for goes before the others. Gives
// `frame`, and `free`, which lets the next one in; or nothing.
export const enter = async (asked) => {
  // What comes by itself waits for a page that is looked at, and for the page's own dialogs, below which it could not be used.
  while (!asked && (document.hidden || document.querySelector(":modal,:fullscreen")))
    await new Promise((again) => setTimeout(again, 500));
  const free = await new Promise((got, refuse) => lock(asked, got).catch(refuse))
    .catch(() => new Promise((got) => askTabs(asked, got)))
    .catch(() => () => {});
  return free && { frame, free };
};

// The browser itself lets the next one in when a tab is gone.
const lock = (asked, got) =>
  navigator.locks.request("afterword", asked ? { steal: true } : { ifAvailable: true }, (lock) =>
    lock ? new Promise(got) : got(),
  );

// Where there are no locks, on a page without TLS: nobody else answers within a moment. Who has an overlay, or
// has asked with a lower number, keeps the others out.
const askTabs = (asked, got) => {
  const tabs = new BroadcastChannel("afterword");
  const over = () => tabs.close();
  let mine = asked ? -1 : Math.random();
  const enter = () => {
    mine = -1;
    got(over);
  };
  const free = setTimeout(enter, asked ? 0 : 400);
  tabs.onmessage = ({ data }) => {
    if (data > mine || asked) return tabs.postMessage(mine);
    clearTimeout(free);
    over();
    got();
  };
  tabs.postMessage(mine);
};

// What comes by itself takes no focus, so those who do not see it have to hear of it: politely, once it has
// been there for a while, since only what changes is read out, and not again by who comes by later. Gives what
// ends that.
const announce = (card) => {
  const said = card.querySelector(".said");
  const title = card.querySelector(".title");
  const swap = (old, text) => said.textContent == old && (said.textContent = text);
  let timer = setTimeout(() => {
    const news = title ? `${card.ariaLabel}: ${title.textContent}` : "";
    swap("", news);
    timer = setTimeout(swap, 5000, news, "");
  }, 500);
  return () => clearTimeout(timer);
};

// Closes what is framed on this page.
let closeOther;

// Gives what takes it away again and says whether the visitor has answered. `asked` is true where the visitor or the
// page wants to see it now, and not just in another language.
const frame = (root, mount, modal, asked, leave, position) => {
  // One that was still loading when another was asked for.
  closeOther?.();
  closeOther = leave;
  const doc = document;
  const before = doc.activeElement;
  const frame = doc.createElement(modal ? "dialog" : "div");
  frame.part = frame.className = "frame";
  frame.tabIndex = -1;
  root.host.setAttribute("over", position || "");
  root.append(frame);
  let unmount;
  try {
    unmount = mount(frame);
  } catch (error) {
    frame.remove();
    throw error;
  }
  // Which has put its own sheet in the place of all others.
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  // The card's name is the dialog's as well.
  if (modal) frame.ariaLabel = frame.firstElementChild.ariaLabel;
  // Where a press begins: a text that is selected with the mouse may end beside the card.
  let pressed;
  frame.addEventListener("pointerdown", ({ target }) => (pressed = target));
  frame.addEventListener("click", ({ target }) => {
    const began = pressed || frame;
    pressed = null;
    // The backdrop counts as the frame itself.
    if ((modal && target == frame && began == frame) || target.closest("[part=close]")) leave();
  });
  frame.addEventListener("close", leave);
  // A field that is searched in has its own use for it while there is something in it.
  const searches = ({ type, value }) => type == "search" && value;
  // So has what composes characters.
  const leaves = ({ key, isComposing, target }) => key == "Escape" && !isComposing && !searches(target);
  const key = (event) => {
    if (modal || !leaves(event)) return;
    event.stopPropagation();
    // What hears it within is not to be gone before it has.
    setTimeout(leave);
  };
  frame.addEventListener("keydown", key, true);
  if (modal) {
    frame.showModal();
    // What was chosen before, rather than the first of its group.
    frame.querySelector("input:checked")?.focus();
  }
  else if (frame.showPopover) {
    frame.popover = "manual";
    frame.showPopover();
  }
  if (asked === true && !modal) frame.focus();
  const hush = !modal && !asked && announce(frame.firstElementChild);
  return () => {
    closeOther = null;
    if (hush) hush();
    const inside = root.activeElement;
    const answered = !/asking|refused/.test(frame.firstElementChild.dataset.state);
    unmount();
    frame.remove();
    // A focus that was in here goes back to where it was before; the page stays where the visitor is by now.
    if (inside && before) before.focus({ preventScroll: true });
    return answered;
  };
};
