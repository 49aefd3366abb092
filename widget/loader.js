// Afterword's loader: all that a page loads before a survey is due.
//
// Finds its own tag, defines <afterword-survey>, puts one on the page for the tag, waits until the
// survey is due by its rules, then fetches definition, glue and WebAssembly in parallel, and frames
// what they show. Classic script, ES2021; no policy forbids what it does: no eval, no markup from
// strings, no inline style. The server fills in the two literals below; each stands here exactly once.
(() => {
  const build = String("__AFTERWORD_BUILD__");
  const rules = Object("__AFTERWORD_RULES__");
  const name = "afterword-survey";
  const doc = document;
  const complain = (text) => console.error("afterword:", text);

  // By file the name to ask for it under, by its folder the runtime. A browser may remember that a module could not be
  // fetched, and not ask again under that name.
  const got = {};
  const bring = (file, as = (got[file] ||= file)) =>
    import(as).catch((error) => {
      got[file] = as + "?";
      throw error;
    });

  // WebAssembly and glue: once per page and server, again after a failure.
  const load = async (base) => {
    // The largest first: it is what the others wait for.
    const [wasm, glue] = await Promise.all([fetch(base + "widget.wasm"), bring(base + "glue.js")]);
    await glue.default({ module_or_path: wasm });
    return glue;
  };
  const runtime = (base) =>
    (got[base] ||= load(base).catch((error) => {
      got[base] = 0;
      throw error;
    }));

  // The language asked for: the element's own alone, or what the page has set, else the page's, then the visitor's.
  let language;
  const wish = (element) =>
    element.getAttribute("lang") ||
    language ||
    [(element.closest("[lang]") || doc.documentElement).lang, navigator.languages].join();

  const text = async (element, survey = id(element)) => {
    const response = await fetch(`${from(element)}/v1/surveys/${survey}?lang=${encodeURIComponent(wish(element))}`);
    if (!response.ok) throw "status " + response.status;
    const definition = await response.text();
    // A loader that came without the survey's rules gets them here.
    Survey.rules[survey] ||= JSON.parse(definition).show || {};
    return definition;
  };

  const id = (element) => element.getAttribute("survey");
  const from = (element) => element.src || origin;
  const base = (element) => `${from(element)}/a/${build}/`;
  const emit = (element, event, answered) =>
    element.dispatchEvent(
      new CustomEvent("afterword:" + event, { bubbles: true, composed: true, detail: { survey: id(element), answered } }),
    );

  // A rule: the element's own attribute, else the survey's configuration.
  const rule = (element, key) => element.getAttribute(key) ?? (Survey.rules[id(element)] || {})[key];
  // One that only a call of the page's has put there has no place of its own.
  const mode = (element) => rule(element, "mode") || element.usual || "inline";
  // "20", "20s", "5m", "2h", "30d": what the last sign says; anything else, like "never", is NaN.
  const seconds = (time) => parseFloat(time) * ({ m: 60, h: 3600, d: 86400 }[/.$/.exec(time)] || 1);

  // What this browser knows of a survey: when it was shown, dismissed and answered, in seconds
  // since 1970, and a random number that decides whether it is in the sample.
  const memory = {};
  const seen = (element, change) => {
    const key = "afterword:seen:" + id(element);
    let known = memory[key];
    try {
      if (keeps(element)) known = JSON.parse(localStorage[key]) || known;
    } catch {}
    known = memory[key] = { die: Math.random() * 100, ...known, ...change };
    try {
      if (keeps(element)) localStorage[key] = JSON.stringify(known);
    } catch {}
    return known;
  };
  const touch = () => matchMedia("(pointer:coarse)").matches;
  const now = () => Date.now() / 1000;
  const keeps = (element) => rule(element, "remember") != "no";
  const note = (element, what, at = now()) =>
    (mode(element) != "inline" || rule(element, what) != null) && seen(element, { [what]: at });

  // Whether the survey may be shown here, now, to this visitor.
  const fits = (element) => {
    const get = (key) => rule(element, key);
    const pages = get("pages") || "*";
    const glob = (sign) => ({ "*": ".*", " ": "|" })[sign] || "\\" + sign;
    if (!location.pathname.match(`^(${pages.replace(/[^\w/-]/g, glob)})/?$`)) return;
    const device = !touch() ? "desktop" : Math.min(screen.width, screen.height) < 600 ? "phone" : "tablet";
    if (!(get("devices") || device).includes(device)) return;
    const usual = /popover|modal/.test(mode(element)) && { dismissed: "30d", answered: "never" };
    const pauses = ["shown", "dismissed", "answered"]
      .map((what) => [what, seconds(get(what) ?? usual[what] ?? 0)])
      .filter(([, pause]) => pause != 0);
    const sample = get("sample") ?? 100;
    if (sample == 100 && !pauses[0]) return true;
    const known = seen(element);
    // A clock that was set back must not silence a survey for years.
    const rests = ([what, pause]) => known[what] && !(Math.abs(now() - known[what]) >= pause);
    return known.die < sample && !pauses.some(rests);
  };

  const forbidden = (element) => rule(element, "consent") && !consented;

  // Waits for what makes the survey due. Every condition is looked at again when it is. After it has
  // `failed` that is a click or an event of the page: what comes by itself would fail for ever.
  const start = (element, failed) => {
    stop(element);
    const survey = id(element);
    // It begins with the attribute.
    if (!survey) return (element.shown = {});
    // An element that the page wrote takes the place of the tag's own.
    for (const other of all(survey)) if (!element.src && other.src) other.remove();
    const get = (key) => rule(element, key);
    if (get("error")) return fail(element)(get("error"));
    if (forbidden(element)) return;
    if (!Survey.rules[survey])
      return text(element).then(() => element.isConnected && !element.shown && start(element), fail(element));
    const over = new AbortController();
    const { signal } = over;
    const shown = (element.shown = { stop: () => over.abort() });
    const on = (target, event, run) => target.addEventListener(event, run, { signal });
    const due = (asked) => {
      if (element.shown == shown && (asked || !failed) && fits(element)) {
        (mode(element) == "tab" ? tab : show)(element).catch(fail(element));
      }
    };
    const here = location.href;
    // A page that swaps its content is another page.
    const watch = get("pages") && setInterval(() => location.href != here && start(element), 500);
    let timer;
    signal.onabort = () => {
      near.disconnect();
      // It ends intervals too.
      clearTimeout(watch);
      clearTimeout(timer);
    };
    const near = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && due(), {
      rootMargin: "200px",
    });
    let waits = mode(element) == "none";
    const when = (key, run) => {
      const value = get(key);
      if (value != null && value != "false") {
        waits = true;
        run(value);
      }
    };
    when("click", (selector) =>
      on(doc, "click", (event) => event.composedPath().some((node) => node.matches?.(selector)) && due(event)),
    );
    when("after", (time) => (timer = setTimeout(due, seconds(time) * 1000)));
    when("event", (event) => on(doc, event, due));
    when("scroll", (percent) => {
      const check = () => scrollY + innerHeight >= (doc.documentElement.scrollHeight * percent) / 100 && due();
      on(self, "scroll", check);
      check();
    });
    when("exit", () => {
      on(doc.documentElement, "mouseleave", (event) => event.clientY <= 0 && due());
      let left;
      on(doc, "visibilitychange", () => (doc.hidden ? (left = touch()) : left && due()));
    });
    if (!waits) mode(element) != "inline" ? read.then(() => due()) : near.observe(element);
  };

  const stop = (element) => {
    const { shown } = element;
    element.shown = null;
    return shown?.stop?.();
  };

  const tab = async (element) => {
    stop(element);
    const shown = (element.shown = {});
    const { tab } = await bring(base(element) + "tab.js");
    if (element.shown == shown) shown.stop = tab(element.shadowRoot, rule(element, "label"), wish(element), () => show(element, true));
  };

  const fail = (element) => (error) => {
    complain(`survey "${id(element)}" of ${from(element)}: ${error.message || error}`);
    emit(element, "error");
  };

  // Shows the survey; `asked` by the page or the visitor, and so without a look at the rules.
  const show = async (element, asked) => {
    stop(element);
    const root = element.shadowRoot;
    const free = () => way?.then((framing) => framing?.free?.(), String);
    const shown = (element.shown = { stop: free, asked });
    let way;
    try {
      // They name the module, and the mode.
      if (!Survey.rules[id(element)]) await text(element);
      const over = mode(element) != "inline";
      const [glue, definition, framing] = await Promise.all([
        runtime(base(element) + (rule(element, "full") || "")),
        text(element),
        // One overlay at a time: the way in comes with what frames them, while the rest is still loaded.
        over && (way = bring(base(element) + "frame.js").then(({ enter }) => element.shown == shown && enter(asked))),
      ]);
      // Who asks for another closes the first; who was overtaken closes nothing.
      if (over && asked && element.shown == shown) all().forEach(close);
      if (element.shown != shown || (over && !framing)) return free();
      // It may have waited for long, while another tab showed it or the page went on.
      if (!asked && !fits(element)) return start(element);
      const mount = (parent) => glue.mount(element, parent, definition, from(element), over, keeps(element), () => said(element));
      const unmount = over
        ? framing.frame(root, mount, mode(element) == "modal", asked, () => close(element), rule(element, "position"))
        : mount(root);
      // In another language it was asked for, but takes no focus.
      shown.open = shown.asked = 1;
      shown.stop = () => (free(), unmount());
      note(element, "shown");
    } catch (error) {
      free();
      if (element.shown == shown) {
        // What was asked for can be asked for again, but for a tab's button, which has gone.
        if (!asked || mode(element) == "tab") start(element, !asked);
        fail(element)(error);
      }
    }
  };

  // Takes an overlay away.
  const close = (element) => {
    if (!element.shown?.open || mode(element) == "inline") return;
    const answered = stop(element);
    if (!answered) note(element, "dismissed");
    emit(element, "closed", answered);
    soon();
    if (mode(element) == "tab") start(element);
  };

  // What the page says about the visitor and this showing of the survey; the widget asks for it when
  // the visitor sends, and keeps the answers until the server has them.
  let metadata = {};
  let respondent;
  const said = (element) => {
    note(element, "answered");
    const own = { ...metadata };
    for (const { name, value } of element.attributes) if (/^meta-/.test(name)) own[name.slice(5)] = value;
    return JSON.stringify({ metadata: own, respondent });
  };

  // What an earlier page, or a survey that has gone, could not deliver goes out, also where none is due.
  const flush = async () => {
    await read;
    try {
      if (/afterword:outbox/.test(Object.keys(localStorage)) && ![made(rules.survey), ...all()].some(forbidden))
        await (await bring(base({}) + "outbox.js")).flush(origin, all);
    } catch {}
  };
  const soon = () => setTimeout(flush, 3000);

  class Survey extends HTMLElement {
    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(":host{display:block}");
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      // What is refused was not answered.
      this.addEventListener("afterword:error", () => this.shown?.open && note(this, "answered", 0));
    }
    connectedCallback() {
      start(this);
    }
    disconnectedCallback() {
      stop(this);
      soon();
    }
    attributeChangedCallback() {
      const { shown } = this;
      if (shown) shown.asked ? show(this, shown.asked) : start(this);
    }
  }
  Survey.observedAttributes = ["survey", "lang"];

  const all = (survey) => [...doc.querySelectorAll(name)].filter((element) => !survey || id(element) == survey);

  // Puts an element on the page for a tag, when the page has been read and has none of its own.
  const place = (tag, survey) => {
    const data = tag.dataset;
    if (!survey || all(survey)[0]) return;
    const element = made(survey, home(tag));
    for (const { name, value } of tag.attributes)
      if (/^data-(?!survey|target)/.test(name)) element.setAttribute(name.slice(5), value);
    if (data.target) {
      const target = doc.querySelector(data.target);
      if (target) target.append(element);
      else complain("no target " + data.target);
    } else doc.body.contains(tag) ? tag.after(element) : doc.body.append(element);
  };
  const made = (survey, home, usual) => {
    const element = doc.createElement(name);
    element.src = home;
    element.usual = usual;
    element.setAttribute("survey", survey);
    return element;
  };

  // The server, with its path prefix, from the address of a tag; a pinned loader lies in a build.
  const address = /^(.+?)(\/a\/[^/]+)?\/widget\.js($|[?#])/;
  const home = (tag) => address.exec(tag.src)?.[1];

  // A classic script knows its tag; a module, or a copied script, takes the tags that nobody has
  // taken: a module runs once for all tags of its address.
  const own = doc.currentScript;
  const tags = [...doc.querySelectorAll("script[src*='/widget.js']")].filter(home);
  const modules = tags.filter((tag) => tag.type == "module");
  const mine = own && home(own) ? [own] : modules[0] ? modules : tags;
  if (!mine[0]) return complain("no tag");
  const origin = home(mine[0]);

  let consented;
  const queue = self.afterword || [];
  const api = queue.ready
    ? queue
    : {
        open: async (survey) => {
          await read;
          return show(all(survey)[0] || doc.body.appendChild(made(survey, origin, "popover")), true);
        },
        close: (survey) => all(survey).forEach(close),
        destroy: (survey) => all(survey).forEach((element) => element.remove()),
        // Who objects to being followed is not named to anybody.
        identify: (person) => navigator.globalPrivacyControl || (respondent = person),
        prefill: (more) => (api.answers = { ...api.answers, ...more }),
        setMetadata: (more) => (metadata = { ...metadata, ...more }),
        setLanguage: (tag) => ((language = tag), all().forEach((element) => element.setAttribute("lang", tag))),
        consent: () => {
          consented = true;
          all().forEach((element) => element.shown || start(element));
          soon();
        },
        on: (event, run) => doc.addEventListener("afterword:" + event, run),
        off: (event, run) => doc.removeEventListener("afterword:" + event, run),
        // A function has a call of its own.
        // In a promise of its own: one that fails keeps no other from being made.
        push: (...calls) => calls.forEach(async (call) => (call.call ? call(api) : api[call[0]](...call.slice(1)))),
      };
  self.afterword = api;

  const read = new Promise((done) =>
    doc.readyState == "loading" ? doc.addEventListener("DOMContentLoaded", done) : done(),
  );
  const known = customElements.get(name);
  // Of all copies of the loader on the page.
  (Survey.rules = known?.rules || {})[rules.survey] = rules;
  if (!known) customElements.define(name, Survey);
  // One that is shown already stays as it is: the same tag may come again.
  else if (rules.survey) all(rules.survey).forEach((element) => element.shown?.open || element.connectedCallback());
  for (const tag of mine) {
    if (tag.afterword) continue;
    tag.afterword = true;
    const survey = tag.dataset.survey || new URL(tag.src).searchParams.get("survey");
    read.then(() => place(tag, survey));
  }
  api.ready ||= read.then(() => api);
  soon();
  addEventListener("online", flush);
  if (!queue.ready) api.push(...queue);
})();
