// Hands submissions in: those of a survey on the page, which has this in its glue (widget/src/sender.rs), and
// what waits without one (outbox.js).
//
// A submission is written down before it is sent, and leaves only when the server has it or will never take it.
// One key of `localStorage` for each, so that tabs do not overwrite each other:
// `afterword:outbox:UUID` -> `{survey, origin, at, body}`, `origin` being the server's with its path prefix, `at`
// the visitor's clock in milliseconds since 1970, and `body` the JSON that is posted. Where storage is refused or
// full, it stays in the page's memory.

const PREFIX = "afterword:outbox:";
const DAY = 24 * 60 * 60 * 1000;
// After so long the server's next reply to a try from a page that does not show the survey is the last one. Not without
// a try: a clock that jumps ahead makes old what was answered just now.
const KEPT = 7 * DAY;
// For so long the server remembers a submission's UUID. What is sent later could make a second entry.
const REMEMBERED = 30 * DAY;
// A try that hangs for so long is given up, in milliseconds; the same submission goes again.
const PATIENCE = 30000;
// The largest body that may outlive its page, in bytes. Browsers allow 64 KiB for all that a page has under way,
// its own beacons included.
const OUTLIVES = 20000;
// Between tries, in milliseconds: the longest first delay, and the longest that the server did not ask for.
const FIRST = 2000;
const LONGEST = 300000;
// A timer holds 31 bits; a server that asks for more than 12 days is asked early.
const TIMER = 2 ** 30;

export const parsed = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {}
};

const keep = ({ key, ...entry }) => {
  try {
    localStorage.setItem(key, JSON.stringify(entry));
    // A page may have its own ideas of what JSON is; what cannot be found again is not kept.
    const { origin, survey, body } = parsed(key);
    return origin == entry.origin && survey == entry.survey && body == entry.body;
  } catch {
    return false;
  }
};

export const forget = ({ key }) => {
  try {
    localStorage.removeItem(key);
  } catch {}
};

// The next reply is the last.
export const isOld = ({ at }) => Date.now() - at > KEPT;

// What waits for one server, of one survey or of all, oldest first. Drops what may not be sent any more: a clock that
// was put back makes an entry younger, never older.
export const waiting = (origin, survey) => {
  const found = [];
  try {
    for (const key of Object.keys(localStorage)) {
      const entry = key.startsWith(PREFIX) && parsed(key);
      if (!entry) continue;
      if (Date.now() - entry.at > REMEMBERED) forget({ key });
      else if (entry.origin == origin && (!survey || entry.survey == survey)) found.push({ ...entry, key });
    }
  } catch {}
  return found.sort((one, other) => one.at - other.at);
};

// Milliseconds until the next try: twice as long each time, of which chance spreads the second half, so that a
// server that returns is not stormed. Where the server asked for some seconds, a quarter of it comes on top of them.
export const delay = (tries, asked) => {
  const most = Math.min(FIRST * 2 ** tries, LONGEST) / (asked ? 4 : 1);
  return Math.min(asked * 1000, TIMER) + (most / 2) * (1 + Math.random());
};

// What the server says for good: its codes, each with its status. 409 is that it has answers under this very UUID: the
// visitor's.
const FINAL = { conflict: 409, address: 400, not_json: 400, too_large: 413, content_type: 415, content: 422 };

// The page's author hears why something is refused, since a visitor can do nothing about metadata: places and codes,
// nothing that was answered. Gives the first question that the server named.
const complain = (survey, status, code, errors) => {
  let text = `afterword: refused: survey "${survey}": status ${status} ${code}`;
  let question = "";
  try {
    for (const wrong of errors || []) {
      text += ` ${wrong.pointer} ${wrong.code}`;
      question = question || wrong.question || "";
    }
  } catch {}
  console.error(text);
  return question;
};

// One try. Never fails: no reply at all has status 0, and means later, as does a server that knows the survey or the
// page's origin only tomorrow. Others may reply in the server's place, with any status: a service worker of the page
// that makes up a 200 when the net is away, a sign-in or a firewall with a page of its own. So the wait is ended only
// by what the server alone says: after a success the submission's UUID, else a code. Every version has said both; one
// that did not would get the same submission again, which costs no answer.
export const post = async ({ key, origin, survey, body }) => {
  let status = 0;
  let asked = 0;
  let reply;
  try {
    // A string goes as `text/plain`, which needs no preflight.
    const response = await fetch(`${origin}/v1/surveys/${encodeURIComponent(survey)}/answers`, {
      method: "POST",
      body,
      keepalive: new Blob([body]).size < OUTLIVES,
      signal: AbortSignal.timeout?.(PATIENCE),
    });
    status = response.status;
    asked = +response.headers.get("retry-after") || 0;
    // The signal is for this as well: a body may never end.
    reply = await response.json();
  } catch {}
  const { submission, code, errors } = reply || {};
  // Whether it was the server itself.
  const spoke = typeof code == "string";
  const final = spoke && FINAL[code] == status;
  const refused = final && status != 409;
  const later = !final && !(status >= 200 && status < 300 && submission == key.slice(PREFIX.length));
  return { status, spoke, refused, question: refused ? complain(survey, status, code, errors) : "", later, asked };
};

// What one showing of a survey hands in, what an earlier page kept of it before its own. `hear` is told what comes
// of it, never before the call that led to it is over:
//   "submitted", UUID            the server has it
//   "refused", question, body    the server will never take this body, for the sake of that question perhaps
//   "kept", "device" or "page"   it waits, for as long as it is kept there; goes on by itself
//   "thanked"                    nothing is left to hand in
export const sender = (survey, origin) => {
  const entries = waiting(origin, survey);
  let onDevice = true;
  let tries = 0;
  let busy;
  let gone;
  let timer;
  let hear;
  const tell = (what, about = "", body = "") => hear(what, about, body);

  // The survey may leave the page at any `await`; what it sent is forgotten all the same. What only the page has is
  // tried on; what lies on the device is then the loader's to send.
  const deliver = async () => {
    // Not within the call that led to it: the page may have its own `fetch`.
    await null;
    for (let entry; (entry = entries[0]); ) {
      const { refused, question, later, asked } = await post(entry);
      if (later) {
        busy = false;
        if (gone && onDevice) return;
        timer = setTimeout(retry, delay(tries++, asked));
        return tell("kept", onDevice ? "device" : "page");
      }
      forget(entry);
      entries.shift();
      if (refused) {
        busy = false;
        return gone || tell("refused", question, entry.body);
      }
      tell("submitted", entry.key.slice(PREFIX.length));
    }
    busy = false;
    tell("thanked");
  };

  // Sends what waits, unless that is already going on; false if there was nothing to do.
  const retry = () => {
    if (busy || !entries[0]) return false;
    busy = true;
    clearTimeout(timer);
    deliver();
    return true;
  };

  return {
    waits: !!entries[0],
    retry,
    // Sends what waits, now and whenever the net returns.
    begin(listener) {
      hear = listener;
      addEventListener("online", retry);
      retry();
    },
    // Keeps a submission, and sends it; false where the device does not keep it.
    send(id, body) {
      const entry = { key: PREFIX + id, survey, origin, at: Date.now(), body };
      onDevice = keep(entry);
      tries = 0;
      entries.push(entry);
      retry();
      return onDevice;
    },
    // The survey has left the page.
    leave() {
      gone = true;
      removeEventListener("online", retry);
      if (onDevice) clearTimeout(timer);
    },
  };
};
