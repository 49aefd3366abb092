// Keeps the page fresh: fetches it again and swaps those parts of <main> whose content has changed.
// Keeps focus, open <details>, the place on the page and a selection; rests while nobody looks, and for as long as
// somebody wants to read in peace.
"use strict";
(() => {
  const every = Number(document.body.dataset.live);
  const lost = document.querySelector(".lost");
  const parser = new DOMParser();
  // Only ever this very page, parsed and not run. Browsers without trusted types take the text.
  const rules = { createHTML: (text) => text };
  const trusted = window.trustedTypes ? trustedTypes.createPolicy("live", rules) : rules;
  // When the page was looked at is no news.
  const parts = (main) => [...main.children].map((it) => it.outerHTML.replace(/(name="as_of" value=")[^"]*/g, "$1"));
  let shown = parts(document.querySelector("main"));
  let heard = new Date();
  let timer;

  // For this tab and all its pages; where nothing can be kept, for this page.
  const button = document.querySelector(".live button");
  const kept = "afterword-paused";
  let paused = false;
  try { paused = sessionStorage.getItem(kept) !== null; } catch {}
  const tell = () => {
    button.textContent = paused ? "Resume updates" : "Pause updates";
    button.classList.toggle("loud", paused);
  };
  button.addEventListener("click", () => {
    paused = !paused;
    try { if (paused) sessionStorage.setItem(kept, ""); else sessionStorage.removeItem(kept); } catch {}
    tell();
    refresh();
  });
  tell();
  button.parentElement.hidden = false;

  // Somebody is about to press or to send something.
  const changed = (it) => it.checked !== it.defaultChecked || (it.matches("input") && it.value !== it.defaultValue);
  const chosen = (it) => [...it.options].some((option) => option.selected !== option.defaultSelected && it.selectedIndex > 0);
  const busy = () => {
    const selection = document.getSelection();
    const main = document.querySelector("main");
    if (main.matches(":active") || [...main.querySelectorAll("input")].some(changed) || [...main.querySelectorAll("select")].some(chosen)) return true;
    return (selection && !selection.isCollapsed) || document.activeElement.matches("input, select, textarea");
  };

  const swap = (fresh, texts) => {
    const main = document.querySelector("main");
    const open = [...main.querySelectorAll("details[open][id]")].map((it) => it.id);
    const focus = [...main.querySelectorAll("a, button, summary")];
    const focused = document.activeElement;
    const at = focus.indexOf(focused);
    const key = at < 0 ? null : focused.closest("[id]");
    const nth = key ? [...key.querySelectorAll("a, button, summary")].indexOf(focused) : at;
    const scrolled = [...main.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
    const anchor = scrollY > 0 ? [...main.querySelectorAll("tr[id]")].find((it) => it.getBoundingClientRect().bottom > 0) : null;
    const top = anchor && anchor.getBoundingClientRect().top;

    const [old, now] = [[...main.children], [...fresh.children]];
    if (old.length === now.length) old.forEach((it, n) => { if (texts[n] !== shown[n]) it.replaceWith(now[n]); });
    else main.replaceChildren(...fresh.childNodes);

    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (at >= 0 && !focused.isConnected) {
      const home = (key && document.getElementById(key.id)) || main;
      home.querySelectorAll("a, button, summary")[nth]?.focus({ preventScroll: true });
    }
    [...main.querySelectorAll(".scroll")].forEach((it, n) => { it.scrollLeft = scrolled[n] || 0; });
    const same = anchor && document.getElementById(anchor.id);
    if (same && top < innerHeight) scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
  };

  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden || paused) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      // The session is over: whoever comes back has to log in.
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const page = parser.parseFromString(trusted.createHTML(await answer.text()), "text/html").querySelector("main");
      // Paused while it was under way.
      if (paused) return;
      const texts = parts(page);
      const looked = page.querySelector("[name=as_of]")?.value;
      heard = new Date();
      if (lost.textContent) lost.textContent = "";
      if (!busy()) {
        if (texts.length !== shown.length || texts.some((text, n) => text !== shown[n])) swap(page, texts);
        for (const it of document.querySelectorAll("main [name=as_of]")) it.value = looked;
        shown = texts;
      }
    } catch (error) {
      const status = /^\d+$/.test(error.message) ? `answers ${error.message}` : "does not answer";
      const words = `The server ${status}. This is what it said at ${heard.toLocaleTimeString()}.`;
      if (lost.textContent !== words) lost.textContent = words;
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, every);
  };

  document.addEventListener("visibilitychange", refresh);
  timer = setTimeout(refresh, every);
})();
