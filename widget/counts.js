// Tells the server how far visitors come, where a survey counts that. A module of its own, which only the pages of such
// surveys load. What is told names nobody, is told without cookies, and says nothing of what was answered.

const server = import.meta.url.replace(/\/a\/[^/]+\/[^/]+$/, "");
const STEPS = ["shown", "answered", "submitted"];
// What was told of an element: going back and answering anew is no new step.
const told = new WeakMap();

// Counts an event of a survey, once for each element.
export const count = (host, language, step, { survey, question }) => {
  if (!STEPS.includes(step)) return;
  if (step != "answered") question = undefined;
  const known = told.get(host) || new Set();
  const key = [step, question].join(" ");
  if (known.has(key)) return;
  told.set(host, known.add(key));
  const body = JSON.stringify({ language, step, question });
  const sent = { method: "POST", credentials: "omit", keepalive: true, body };
  // A number that is missing hurts nobody.
  fetch(`${server}/v1/surveys/${survey}/steps`, sent).catch(String);
};
