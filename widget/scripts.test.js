// Tests of sending.js, outbox.js, browser.js and full.js where no browser is needed: `cargo xtask test` bundles this and lets Node.js run
// it. What the browsers make of them is tested end to end.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { beforeEach, test } from "node:test";

import { flush } from "./outbox.js";
import { delay, post, sender, waiting } from "./sending.js";
import { listed, ownWords, translated, withContact } from "./full.js";
import verdicts from "./verdicts.json";

globalThis.crypto ??= webcrypto;
// Needed as soon as the module is there.
globalThis.CSSStyleSheet = class {
  replaceSync() {}
};
const { context, focus, prefilled, recall, remember, said, uuid } = await import("./browser.js");

const ORIGIN = "https://feedback.example";
const DAY = 24 * 60 * 60 * 1000;
const NOW = 1_800_000_000_000;

// Its keys are its own, as those of a browser's storage are.
const storage = () =>
  Object.create({
    getItem(key) {
      return Object.hasOwn(this, key) ? this[key] : null;
    },
    setItem(key, value) {
      this[key] = String(value);
    },
    removeItem(key) {
      delete this[key];
    },
  });
const refusing = () => {
  const refuse = () => {
    throw new Error("refused");
  };
  return { getItem: refuse, setItem: refuse, removeItem: refuse };
};

// What the server is told, what it replies, and what waits for how long.
let told, replies, timers, listeners, complaints;

beforeEach(() => {
  [told, replies, timers, listeners, complaints] = [[], [], [], new Set(), []];
  globalThis.localStorage = storage();
  globalThis.sessionStorage = storage();
  globalThis.fetch = async (url, init) => {
    told.push({ url, ...init });
    const reply = replies.shift();
    if (!reply) throw new TypeError("away");
    return new Response(reply.body ?? null, reply);
  };
  globalThis.setTimeout = (run, time) => timers.push({ run, time });
  globalThis.clearTimeout = (timer) => timer && (timers[timer - 1] = null);
  globalThis.addEventListener = (_, run) => listeners.add(run);
  globalThis.removeEventListener = (_, run) => listeners.delete(run);
  Date.now = () => NOW;
  console.error = (text) => complaints.push(text);
});

// What the server replies once it has a submission.
const taken = (submission) => ({ status: 202, body: JSON.stringify({ submission }) });
const settled = () => new Promise((done) => setImmediate(done));
const keys = () => Object.keys(localStorage).map((key) => key.replace("afterword:outbox:", ""));
const put = (id, entry) =>
  localStorage.setItem(
    "afterword:outbox:" + id,
    JSON.stringify({ survey: "checkout", origin: ORIGIN, at: NOW, body: "{}", ...entry }),
  );
// A sender, and what it is heard to say.
const begun = () => {
  const heard = [];
  const ours = sender("checkout", ORIGIN);
  ours.begin((...what) => heard.push(what));
  return { ours, heard };
};

test("every reply has its verdict", async () => {
  const { submission, ...all } = verdicts;
  const entry = { key: "afterword:outbox:" + submission, origin: ORIGIN, survey: "checkout", body: "{}" };
  assert.deepEqual(Object.keys(all), ["durable", "refused", "later"]);
  for (const [verdict, groups] of Object.entries(all)) {
    for (const { statuses, body } of groups) {
      for (const status of statuses) {
        replies = [{ status, body }];
        const { refused, later, question } = await post(entry);
        assert.equal(refused ? "refused" : later ? "later" : "durable", verdict, `${status} ${body}`);
        assert.equal(question, "");
      }
    }
  }
});

test("a reply that breaks off is none", async () => {
  const { ours, heard } = begun();
  const cut = new ReadableStream({
    start(body) {
      body.enqueue(new TextEncoder().encode('{"submission":"6f9b"'));
      body.error(new Error("cut"));
    },
  });
  replies = [{ status: 202, body: cut }, taken("6f9b")];
  ours.send("6f9b", "{}");
  await settled();
  assert.deepEqual(heard, [["kept", "device", ""]]);
  assert.deepEqual(keys(), ["6f9b"]);
  timers[0].run();
  await settled();
  assert.deepEqual(heard.slice(1).map(([what]) => what), ["submitted", "thanked"]);
});

test("a reply that never ends is given up in time", async () => {
  const { timeout } = AbortSignal;
  const patience = new AbortController();
  const waits = [];
  AbortSignal.timeout = (time) => (waits.push(time), patience.signal);
  try {
    const { ours, heard } = begun();
    // As browsers do: the signal of a request is its reply's as well.
    globalThis.fetch = async (_, { signal }) => {
      const body = new ReadableStream({ start: (body) => (signal.onabort = () => body.error(signal.reason)) });
      return new Response(body, { status: 202 });
    };
    ours.send("6f9b", "{}");
    await settled();
    assert.deepEqual([heard, waits], [[], [30e3]]);
    patience.abort();
    await settled();
    assert.deepEqual(heard, [["kept", "device", ""]]);
    assert.deepEqual(keys(), ["6f9b"]);
  } finally {
    AbortSignal.timeout = timeout;
  }
});

test("what somebody else replies neither thanks nor refuses", async () => {
  const { ours, heard } = begun();
  ours.send("6f9b", "{}");
  await settled();
  replies = [
    { status: 200, body: "<html>" }, { status: 202 }, { status: 204 }, taken("6f9c"), { status: 413, body: "<html>" },
    { status: 409, body: "<html>" },
  ];
  while (replies.length) {
    assert.equal(ours.retry(), true);
    await settled();
    assert.deepEqual(heard.at(-1), ["kept", "device", ""], String(replies.length));
    assert.deepEqual(keys(), ["6f9b"]);
  }
  assert.deepEqual(complaints, []);
  replies = [taken("6f9b")];
  ours.retry();
  await settled();
  assert.deepEqual(heard.slice(-2), [["submitted", "6f9b", ""], ["thanked", "", ""]]);
  assert.deepEqual(keys(), []);
});

test("a submission is posted without a preflight, and outlives its page where browsers allow it", async () => {
  replies = [{ status: 202 }, { status: 202 }];
  const entry = { key: "afterword:outbox:6f9b", origin: ORIGIN };
  await post({ ...entry, survey: "check/out", body: '{"a":1}' });
  // Bytes count, not characters.
  await post({ ...entry, survey: "checkout", body: "漢".repeat(7000) });
  const [short, long] = told;
  assert.equal(short.url, `${ORIGIN}/v1/surveys/check%2Fout/answers`);
  assert.deepEqual([short.method, short.body, short.headers], ["POST", '{"a":1}', undefined]);
  assert.deepEqual([short.keepalive, long.keepalive], [true, false]);
});

test("delays grow to five minutes and are spread", () => {
  const draws = (tries, asked = 0) => Array.from({ length: 500 }, () => delay(tries, asked));
  for (const [tries, least, most] of [[0, 1e3, 2e3], [1, 2e3, 4e3], [5, 32e3, 64e3], [40, 150e3, 300e3], [2000, 150e3, 300e3]]) {
    const times = draws(tries);
    assert.ok(times.every((time) => time >= least && time <= most), String(tries));
    assert.ok(new Set(times.map(Math.round)).size > 100);
  }
});

test("a server that names a time is not asked earlier nor much later, and no timer overflows", () => {
  for (let tries = 0; tries < 12; tries++) assert.ok(delay(tries, 30) >= 30e3 && delay(tries, 30) <= 105e3);
  assert.ok(delay(40, 2 ** 40) < 2 ** 31);
});

test("what waits for a server is found, oldest first, and what is not ours is left alone", () => {
  put("b", { at: NOW - 2 });
  put("a", { at: NOW - 1 });
  put("c", { at: NOW - 3, survey: "other" });
  put("elsewhere", { origin: "https://other.example" });
  localStorage.setItem("cart", '{"survey":"checkout"}');
  localStorage.setItem("afterword:outbox:broken", "{");
  localStorage.setItem("afterword:outbox:list", "[]");
  localStorage.setItem("afterword:outbox:null", "null");
  const ids = (found) => found.map(({ key }) => key.slice(17)).join();
  assert.equal(ids(waiting(ORIGIN)), "c,b,a");
  assert.equal(ids(waiting(ORIGIN, "checkout")), "b,a");
  assert.equal(keys().length, 8);
  globalThis.localStorage = refusing();
  assert.deepEqual(waiting(ORIGIN), []);
});

test("an entry is dropped unsent once the server may have forgotten that it has it, and not before", () => {
  put("young", { at: NOW - 30 * DAY });
  put("old", { at: NOW - 30 * DAY - 1 });
  put("ahead", { at: NOW + 400 * DAY });
  waiting(ORIGIN);
  assert.deepEqual(keys(), ["young", "ahead"], "a clock that was put back drops nothing");
});

test("what gets no reply holds back its own survey alone, or nothing once it is old, and is not dropped", async () => {
  put("old", { at: NOW - 9 * DAY });
  put("first", { at: NOW - 3 });
  put("held", { at: NOW - 2 });
  put("other", { at: NOW - 1, survey: "other" });
  replies = [null, null, taken("other")];
  await flush(ORIGIN, () => []);
  assert.deepEqual(told.map(({ url }) => url.split("/").at(-2)), ["checkout", "checkout", "other"]);
  assert.deepEqual(keys(), ["old", "first", "held"]);
  assert.equal(timers.filter(Boolean).length, 1);
});

test("after seven days an entry is dropped with the server's next reply, whatever that says", async () => {
  put("had", { at: NOW - 9 * DAY });
  put("old", { at: NOW - 7 * DAY - 1 });
  put("mended", { at: NOW - 7 * DAY - 1, survey: "other" });
  put("offline", { at: NOW - 7 * DAY - 1 });
  put("young", { at: NOW - 7 * DAY });
  const unknown = { status: 404, body: '{"code":"unknown_survey"}' };
  replies = [taken("had"), unknown, { status: 422, body: '{"code":"content"}' }, { status: 200, body: "Offline" }, unknown];
  await flush(ORIGIN, () => []);
  assert.equal(told.length, 5);
  assert.deepEqual(keys(), ["offline", "young"], "what somebody else says in the server's place drops nothing");
  assert.equal(timers.filter(Boolean).length, 1);
});

test("what a survey on the page tries stays, however old a clock that jumped makes it", async () => {
  const { ours, heard } = begun();
  ours.send("6f9b", "{}");
  await settled();
  Date.now = () => NOW + 8 * DAY;
  ours.retry();
  await settled();
  assert.deepEqual(heard.at(-1), ["kept", "device", ""]);
  assert.deepEqual(keys(), ["6f9b"]);
});

test("a submission is kept until the server has it", async () => {
  const { ours, heard } = begun();
  assert.equal(ours.waits, false);
  replies = [{ status: 503, headers: { "retry-after": "40" } }, taken("6f9b")];
  assert.equal(ours.send("6f9b", '{"a":1}'), true);
  assert.deepEqual(heard, [], "nothing is said before the call is over");
  assert.deepEqual(JSON.parse(localStorage.getItem("afterword:outbox:6f9b")), {
    survey: "checkout", origin: ORIGIN, at: NOW, body: '{"a":1}',
  });
  await settled();
  assert.deepEqual(heard, [["kept", "device", ""]]);
  assert.ok(timers[0].time >= 40.25e3 && timers[0].time <= 40.5e3);
  timers[0].run();
  await settled();
  assert.deepEqual(heard.slice(1), [["submitted", "6f9b", ""], ["thanked", "", ""]]);
  assert.deepEqual(keys(), []);
  assert.equal(told.length, 2);
});

test("what an earlier page kept goes first, and one at a time", async () => {
  put("older", { at: NOW - 5 });
  replies = [{ status: 409, body: '{"code":"conflict"}' }, taken("newer")];
  const { ours, heard } = begun();
  assert.equal(ours.waits, true);
  ours.send("newer", "{}");
  assert.equal(ours.retry(), false, "it is under way");
  await settled();
  assert.deepEqual(heard.map(([what, about]) => [what, about]), [
    ["submitted", "older"], ["submitted", "newer"], ["thanked", ""],
  ]);
  assert.equal(ours.retry(), false, "nothing waits");
});

test("a refusal names the question, complains without an answer, and is not sent again", async () => {
  const { ours, heard } = begun();
  const errors = [{ pointer: "/metadata/x", code: "unknown" }, { pointer: "/answers/0", code: "range", question: "nps" }];
  replies = [{ status: 422, body: JSON.stringify({ code: "content", errors }) }];
  ours.send("6f9b", '{"secret":1}');
  await settled();
  assert.deepEqual(heard, [["refused", "nps", '{"secret":1}']]);
  assert.deepEqual(keys(), []);
  assert.deepEqual(complaints, [
    'afterword: refused: survey "checkout": status 422 content /metadata/x unknown /answers/0 range',
  ]);
});

test("what the device refuses to keep is sent on, also when the survey has left the page", async () => {
  globalThis.localStorage = refusing();
  const { ours, heard } = begun();
  assert.equal(ours.send("6f9b", "{}"), false);
  await settled();
  assert.deepEqual(heard, [["kept", "page", ""]]);
  ours.leave();
  replies = [taken("6f9b")];
  timers[0].run();
  await settled();
  assert.equal(heard[1][0], "submitted");
});

test("what cannot be found again is not kept", () => {
  const { stringify } = JSON;
  JSON.stringify = (value) => stringify({ ...value, origin: `"${value.origin}"` });
  try {
    assert.equal(begun().ours.send("6f9b", "{}"), false);
  } finally {
    JSON.stringify = stringify;
  }
});

test("what lies on the device is the loader's once the survey has left the page", async () => {
  const { ours, heard } = begun();
  ours.send("6f9b", "{}");
  await settled();
  assert.equal(timers.filter(Boolean).length, 1);
  ours.leave();
  assert.equal(timers.filter(Boolean).length, 0);
  assert.deepEqual(keys(), ["6f9b"]);
  assert.equal(listeners.size, 0);
  // The same while a try is under way.
  const next = begun();
  next.ours.leave();
  await settled();
  assert.equal(timers.filter(Boolean).length, 0);
  assert.deepEqual([heard.length, next.heard.length], [1, 0]);
});

test("it is sent at once when the net returns", async () => {
  const { ours, heard } = begun();
  ours.send("6f9b", "{}");
  await settled();
  replies = [taken("6f9b")];
  for (const online of listeners) online();
  await settled();
  assert.equal(heard.at(-1)[0], "thanked");
  assert.equal(timers.filter(Boolean).length, 0, "the timer is of no use any more");
});

test("a UUID is one of version 4, and none comes twice", () => {
  const many = new Set(Array.from({ length: 1000 }, uuid));
  assert.equal(many.size, 1000);
  for (const one of many) assert.match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("an address loses query and fragment, and is not told without a host", () => {
  const told = (href, referrer) => {
    globalThis.location = { href };
    globalThis.document = { referrer };
    const { page_url, referrer: before, answered_at } = JSON.parse(context());
    assert.match(answered_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return [page_url, before];
  };
  const shop = "https://shop.example/a";
  assert.deepEqual(told(`${shop}?token=1#x`, `${shop}#x?y`), [shop, shop]);
  assert.deepEqual(told("about:srcdoc", ""), [undefined, undefined]);
});

test("what a tab keeps is found, forgotten, and given up where storage is refused", () => {
  const element = new EventTarget();
  remember(element, true, "key", "text");
  assert.equal(recall(element, true, "key"), "text");
  assert.equal(recall(element, false, "key"), "", "the element itself has nothing");
  remember(element, true, "key", "");
  assert.equal(recall(element, true, "key"), "");
  const refuse = () => {
    throw new Error("refused");
  };
  globalThis.sessionStorage = new Proxy({}, { get: refuse, set: refuse, deleteProperty: refuse });
  for (const text of ["text", ""]) remember(element, true, "key", text);
  assert.equal(recall(element, true, "key"), "");
});

test("what an element keeps is no other's, and goes when it is closed", () => {
  const [element, other] = [new EventTarget(), new EventTarget()];
  remember(element, false, "key", "text");
  assert.deepEqual([recall(element, false, "key"), recall(other, false, "key")], ["text", ""]);
  assert.deepEqual(Object.keys(sessionStorage), []);
  remember(element, false, "key", "");
  assert.equal(recall(element, false, "key"), "");
  remember(element, false, "key", "again");
  element.dispatchEvent(new Event("afterword:closed"));
  assert.equal(recall(element, false, "key"), "");
});

const host = (attributes) => ({ attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })) });

test("the focus goes to the question once it is drawn, unless the visitor has moved it by then", () => {
  const field = { focus: () => (root.activeElement = field) };
  const [button, other] = [{}, {}];
  const root = { querySelector: (selector) => (selector == "input" ? field : null) };
  const frames = new Map();
  let count = 0;
  globalThis.requestAnimationFrame = (run) => {
    frames.set(++count, run);
    return count;
  };
  globalThis.cancelAnimationFrame = (frame) => frames.delete(frame);
  const drawAll = () => {
    const drawn = [...frames.values()];
    frames.clear();
    drawn.forEach((run) => run());
  };
  const ends = (held, moved) => {
    root.activeElement = held;
    focus(root, "[type=radio]:checked", "input");
    root.activeElement = moved;
    drawAll();
    return root.activeElement;
  };
  assert.equal(ends(button, button), field);
  assert.equal(ends(button, null), field, "what had it was taken away");
  assert.equal(ends(null, null), field, "a tap that gives buttons no focus");
  assert.equal(ends(button, other), other);
  // Of two in one frame the first would look like the visitor's to the second.
  root.activeElement = null;
  focus({ activeElement: null, querySelector: () => ({ focus: () => (root.activeElement = other) }) }, "legend");
  assert.equal(ends(null, null), field, "what is wanted last");
});

test("what a page answers ahead is a draft with every value that it could be", () => {
  globalThis.window = { afterword: { answers: { why: "slow", again: false, gone: null } } };
  const draft = JSON.parse(prefilled(host({ "answer-recommend": " 9 ", "answer-why": "fast", survey: "s", "answer-none": "" })));
  assert.equal(draft.question, undefined);
  assert.equal(draft.at, NOW);
  assert.match(draft.submission, /^[0-9a-f-]{36}$/);
  const of = (question) => draft.answers.filter((answer) => answer.question == question);
  const values = (question) => Object.assign({}, ...of(question));
  assert.deepEqual(values("recommend"), { question: "recommend", text: "9", score: 9, options: ["9"] });
  assert.equal(values("why").text, "fast", "the element's own wins");
  assert.equal(values("again").boolean, false);
  assert.ok(of("recommend").every((answer) => Object.keys(answer).length <= 2), "one value each");
  assert.equal(of("gone").length + of("none").length, 0);
});

test("a page that answers nothing ahead makes no draft", () => {
  for (const window of [{}, { afterword: {} }, { afterword: { answers: {} } }]) {
    globalThis.window = window;
    assert.equal(prefilled(host({ survey: "s" })), "");
  }
});

test("what the visitor says about themselves goes before what the page says", () => {
  const said = JSON.stringify({ metadata: { a: "b" }, respondent: { id: "7", email: "old@example.com" } });
  assert.deepEqual(JSON.parse(withContact(said, '{"email":"new@example.com"}')), {
    metadata: { a: "b" },
    respondent: { id: "7", email: "new@example.com" },
  });
  assert.deepEqual(JSON.parse(withContact("{}", '{"phone":"1"}')), { respondent: { phone: "1" } });
});

test("a list is written as its language writes it, also one that nobody knows", () => {
  assert.equal(listed("nl", "a\nb\nc"), "a, b en c");
  assert.equal(listed("not a language", "a\nb"), "a, b");
});

test("a definition that does not come is an empty text", async () => {
  const taken = [];
  const take = (text) => taken.push(text);
  replies = [{ status: 200, body: "{}" }, { status: 404 }];
  for (let times = 0; times < 3; times += 1) await new Promise((next) => translated(ORIGIN, (text) => next(take(text))));
  assert.deepEqual(taken, ["{}", "", ""]);
});

test("where there is no field for words of the visitor's own there are none", () => {
  assert.equal(ownWords({ closest: () => ({ querySelector: () => null }) }), "");
});

test("what the page says becomes texts, and what cannot be handed in costs no answer", () => {
  const page = { metadata: { pieces: 3, gift: true, note: null, cart: {} }, respondent: { id: 42, email: "n/a", phone: "", nick: "J", first_name: "Jef\u0000" } };
  assert.deepEqual(JSON.parse(said(JSON.stringify(page))), { metadata: { pieces: "3", gift: "true" }, respondent: { id: "42", phone: "" } });
  assert.deepEqual(complaints, ["cart", "email", "nick", "first_name"].map((key) => "afterword: not handed in: " + key));
  assert.deepEqual(JSON.parse(said('{"metadata":{}}')), { metadata: {} });
  const right = { metadata: { a: "b" }, respondent: { email: " jef@example.com ", last_name: "Tester" } };
  assert.deepEqual(JSON.parse(said(JSON.stringify(right))), right);
});
