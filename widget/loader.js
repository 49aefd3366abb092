// Afterword's loader: all that a page loads before a survey is due.
//
// Finds its own tag, defines <afterword-survey>, puts one on the page for the tag, and fetches
// definition, glue and WebAssembly, in parallel, once an element comes near the viewport.
// Classic script, ES2020; no policy forbids what it does: no eval, no markup from strings, no
// inline style. The server fills in the two literals below; each stands here exactly once.
(() => {
  const build = String("__AFTERWORD_BUILD__");
  const rules = Object("__AFTERWORD_RULES__");
  const name = "afterword-survey";
  const doc = document;
  const complain = (text) => console.error("afterword: " + text);

  // Calls made before the API is there stay queued.
  window.afterword = window.afterword || [];

  // WebAssembly and glue: once per page and server, again after a failure.
  const runtimes = {};
  const runtime = (base) => {
    const load = async () => {
      const wasm = fetch(base + "widget.wasm");
      // Reported below, by whoever waits for it, and not twice.
      wasm.catch(() => {});
      const glue = await import(base + "glue.js");
      await glue.default({ module_or_path: wasm });
      return glue;
    };
    runtimes[base] = runtimes[base] || load().catch((error) => {
      delete runtimes[base];
      throw error;
    });
    return runtimes[base];
  };

  // The language asked for: the element's own alone, else the page's, then the visitor's.
  const wish = (element) =>
    element.getAttribute("lang") ||
    [(element.closest("[lang]") || doc.documentElement).lang, ...navigator.languages].filter(Boolean).join();

  const text = async (origin, survey, element) => {
    const response = await fetch(`${origin}/v1/surveys/${encodeURIComponent(survey)}?lang=${encodeURIComponent(wish(element))}`);
    if (response.ok) return response.text();
    throw response.status == 404 ? "unknown survey" : "status " + response.status;
  };

  // Shows the survey, unless `showing` was stopped meanwhile.
  const show = async (element, showing, survey, origin) => {
    try {
      const [definition, glue] = await Promise.all([
        text(origin, survey, element),
        runtime(`${origin}/a/${build}/`),
      ]);
      if (element.showing != showing) return;
      const metadata = {};
      for (const { name, value } of element.attributes)
        if (name.startsWith("meta-")) metadata[name.slice(5)] = value;
      showing.stop = glue.mount(
        element,
        element.shadowRoot,
        definition,
        JSON.stringify({ origin, metadata }),
      );
    } catch (error) {
      if (element.showing != showing) return;
      complain(`survey "${survey}" of ${origin}: ${error.message || error}`);
      element.dispatchEvent(new CustomEvent("afterword:error", { bubbles: true, composed: true, detail: { survey } }));
    }
  };

  const stop = (element) => {
    const showing = element.showing;
    element.showing = null;
    if (showing) showing.stop();
  };

  const start = (element) => {
    stop(element);
    const survey = element.getAttribute("survey");
    const home = element.home || origin;
    if (!survey || (rules.error && survey == rules.survey)) return;
    if (!element.home)
      // An element that the page wrote takes the place of the tag's own.
      for (const other of doc.querySelectorAll(name))
        if (other.home && other.getAttribute("survey") == survey) other.remove();
    const due = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          due.disconnect();
          show(element, showing, survey, home);
        }
      },
      { rootMargin: "200px" },
    );
    const showing = (element.showing = { stop: () => due.disconnect() });
    due.observe(element);
  };

  class Survey extends HTMLElement {
    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(":host{display:block}");
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }
    connectedCallback() {
      start(this);
    }
    disconnectedCallback() {
      stop(this);
    }
    attributeChangedCallback() {
      if (this.showing) start(this);
    }
  }
  Survey.observedAttributes = ["survey", "lang"];

  // Puts an element on the page for a tag, when the page has been read and has none of its own.
  const place = (tag, survey) => {
    const data = tag.dataset;
    const mode = data.mode || rules.mode;
    for (const other of doc.querySelectorAll(name))
      if (other.getAttribute("survey") == survey) return;
    if (!survey || mode == "none") return;
    const element = doc.createElement(name);
    element.home = home(tag);
    for (const { name, value } of tag.attributes)
      if (/^data-(lang|mode|theme|meta-.+)$/.test(name)) element.setAttribute(name.slice(5), value);
    element.setAttribute("survey", survey);
    if (data.target) {
      const target = doc.querySelector(data.target);
      if (target) target.append(element);
      else complain(`nothing on the page is ${data.target}`);
    } else if (doc.body.contains(tag)) tag.after(element);
    else doc.body.append(element);
  };

  // The server, with its path prefix, from the address of a tag; a pinned loader lies in a build.
  const address = /^(.+?)(\/a\/[^/]+)?\/widget\.js([?#].*)?$/;
  const home = (tag) => (address.exec(tag.src) || [])[1];

  // A classic script knows its tag; a module, or a copied script, takes the tags that nobody has
  // taken: a module runs once for all tags of its address.
  const own = doc.currentScript;
  const all = [...doc.querySelectorAll("script[src*='/widget.js']")].filter(home);
  const modules = all.filter((tag) => tag.type == "module");
  const mine = own && home(own) ? [own] : modules[0] ? modules : all;
  if (!mine[0]) return complain("found no script tag with src=\"…/widget.js\"");
  const origin = home(mine[0]);

  if (!customElements.get(name)) customElements.define(name, Survey);
  for (const tag of mine) {
    if (tag.afterword) continue;
    tag.afterword = true;
    const survey = tag.dataset.survey || rules.survey || new URL(tag.src).searchParams.get("survey");
    if (rules.error && survey == rules.survey) {
      complain(`survey "${survey}" of ${origin}: ${rules.error}`);
    } else if (doc.readyState == "loading") {
      doc.addEventListener("DOMContentLoaded", () => place(tag, survey));
    } else place(tag, survey);
  }
})();
