// What the widget asks of the browser in several steps at once; part of its glue (widget/src/browser.rs). From
// WebAssembly each step would be an import with code around it.

// The style sheet, one for all surveys of the page: the build puts style.css in the place of the literal. Constructed,
// so that no policy forbids it, and before the WebAssembly is there, which takes longer to come.
const sheet = new CSSStyleSheet();
sheet.replaceSync("__AFTERWORD_STYLE__");

// Gives a shadow root the style sheet and that of its survey, in the place of all others, and its host the survey's
// theme, where the page has named none.
export const dress = (root, style, theme) => {
  const { host } = root;
  // Another survey in the same element may have another.
  if (host.themed || !host.hasAttribute("theme")) {
    host.themed = theme;
    host.toggleAttribute("theme", !!theme);
    if (theme) host.setAttribute("theme", theme);
  }
  const own = new CSSStyleSheet();
  own.replaceSync(style);
  root.adoptedStyleSheets = [sheet, own];
};

// The name to ask for it under: a browser may remember that a module could not be fetched, and not ask again.
let counts = "counts.js";

// Tells the page that something happened: ids and steps as JSON, never words. A page that cancels it changes nothing.
export const emit = (host, name, detail) => {
  // The loader keeps the rules of its surveys there.
  const lang = host.constructor.rules?.[host.getAttribute("survey")]?.counts && host.shadowRoot.querySelector("[lang]")?.lang;
  const asked = counts;
  if (lang)
    import(new URL(asked, import.meta.url)).then(
      ({ count }) => count(host, lang, name, JSON.parse(detail)),
      () => (counts = asked + "?"),
    );
  return host.dispatchEvent(
    new CustomEvent("afterword:" + name, { bubbles: true, composed: true, detail: JSON.parse(detail) }),
  );
};

// The same once the caller is through, for what hears it may call back.
export const emitSoon = (host, name, detail) => queueMicrotask(() => emit(host, name, detail));

// The part of an address that may be told, without query and fragment, which may hold what is nobody's business;
// nothing for what has no host.
const address = (url) => (/^http/.test(url) ? url.split(/[?#]/)[0] : undefined);

// Where and when the visitor answered, by the visitor's own clock: a submission's `context`, as JSON.
export const context = () =>
  JSON.stringify({
    page_url: address(location.href),
    referrer: address(document.referrer),
    answered_at: new Date().toISOString(),
  });

// What the page says about the visitor, as a submission takes it: JSON of the loader's, whose values become texts. Of the
// visitor only what may be handed in: a number, or an address that is none, must not cost the answers.
const FIELDS = ["id", "first_name", "last_name", "email", "phone"];
export const said = (json) => {
  const { metadata, respondent } = JSON.parse(json);
  const texts = (given, wanted) => {
    const texts = {};
    for (const [key, value] of Object.entries(given || {})) {
      if (value == null) continue;
      if (typeof value != "object" && wanted(key, String(value).trim())) texts[key] = String(value);
      else console.error(`afterword: not handed in: ${key}`);
    }
    return texts;
  };
  const fits = (key, text) =>
    FIELDS.includes(key) && /^[^\x00-\x1f\x7f]{0,320}$/u.test(text) && (key != "email" || /^$|^\S+@\S*\.\S*$/.test(text));
  return JSON.stringify({ metadata: texts(metadata, () => true), respondent: respondent ? texts(respondent, fits) : undefined });
};

// A new UUID v4. `crypto.randomUUID` is absent from pages without TLS; `getRandomValues` is not.
export const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  // Old libraries have an `Array.from` of their own, which maps nothing.
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/(.{8})(....)(....)(....)/, "$1-$2-$3-$4-");
};

// Whether an element is the first of its survey where it stands: the draft is that one's.
export const isFirst = (host) => {
  const twins = [...host.getRootNode().querySelectorAll(host.localName)];
  return twins.find((twin) => twin.getAttribute("survey") == host.getAttribute("survey")) == host;
};

// What keeps a draft: the tab, or else the element alone, until the visitor closes it: the page may change its language.
const keeper = (host, tab) => {
  if (tab) return sessionStorage;
  if (!host.kept) host.addEventListener("afterword:closed", () => (host.kept = {}));
  return (host.kept ||= {});
};

// What is kept under a key; empty if nothing, or where storage is refused.
export const recall = (host, tab, key) => {
  try {
    return keeper(host, tab)[key] || "";
  } catch {
    return "";
  }
};

// Keeps a text under a key, or forgets it if it is empty; does neither where storage is refused or full.
export const remember = (host, tab, key, text) => {
  try {
    if (text) keeper(host, tab)[key] = text;
    else delete keeper(host, tab)[key];
  } catch {}
};

// A list that JSON takes as one: old libraries give all of them a way to become a text.
const asList = (list) => Object.assign(list, { toJSON: undefined });

// What the page answers ahead, by attributes `answer-QUESTION` or `afterword.prefill`, in the form of a draft
// (widget/src/draft.rs) that names no question: it is the first without an answer. As the value of each kind that it could be: the
// widget drops what does not fit its question.
export const prefilled = ({ attributes }) => {
  const given = { ...window.afterword?.answers };
  for (const { name, value } of attributes) if (/^answer-/.test(name)) given[name.slice(7)] = value;
  const answers = [];
  for (const question in given) {
    const text = String(given[question] ?? "").trim();
    const boolean = /^(true|yes|1)$/.test(text) || (/^(false|no|0)$/.test(text) ? false : undefined);
    if (text)
      answers.push(
        { question, text },
        { question, boolean },
        { question, score: /^-?\d+$/.test(text) ? +text : undefined },
        { question, options: asList(text.split(/[ ,]+/)) },
      );
  }
  return answers[0] ? JSON.stringify({ at: Date.now(), submission: uuid(), answers: asList(answers) }) : "";
};

// Presses Next a moment after a tap on an answer, so that it is seen. A key's click has no count: it may only be on its
// way to another answer.
let next;
export const goOn = (root, { target, detail }) => {
  clearTimeout(next);
  if (detail && target.matches("[type=radio]:not([data-other])"))
    next = setTimeout(() => {
      const button = target.isConnected && root.querySelector("[part=next]");
      if (button) button.click();
    }, 350);
};

// Whether the visitor is in the survey; one who was there, until what had the focus went, is still.
export const inside = (root, before) => !!root.activeElement || (before && document.activeElement == document.body);

// Focuses what is wanted, else something `other`, once it is drawn; not if the visitor has moved the focus within the
// survey by then, as fast hands do on a slow machine. What is wanted last counts.
let frame;
export const focus = (root, wanted, other) => {
  cancelAnimationFrame(frame);
  const before = root.activeElement;
  frame = requestAnimationFrame(() => {
    const now = root.activeElement;
    // What had it may be gone.
    if (now && now != before) return;
    const found = root.querySelector(wanted) || (other && root.querySelector(other));
    if (found) found.focus();
  });
};
