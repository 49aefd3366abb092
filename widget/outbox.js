// Submissions that an earlier page, or a survey that has left this one, could not deliver. A module of its
// own, loaded where something waits, so that a page pays for it only then. What waits is written by
// widget/src/outbox.rs, whose limits these are.

const PREFIX = "afterword:outbox:";
const WEEK = 7 * 24 * 60 * 60 * 1000;

// The server has it, or will never take it: as `verdict` of widget/src/retry.rs says.
const isDurable = (status) => (status >= 200 && status < 300) || status == 409;
const isRefused = (status) => [400, 413, 415, 422].includes(status);

const read = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    return {};
  }
};

const post = (origin, survey, body) =>
  fetch(`${origin}/v1/surveys/${encodeURIComponent(survey)}/answers`, {
    method: "POST",
    body,
    signal: AbortSignal.timeout(30000),
  }).catch(() => ({ status: 0 }));

// Sends what waits, one after another. Gives nothing once nothing is left to do, else how many seconds the
// server asked to wait. A survey that is shown sends its own: `all` finds the elements of one.
const send = async (origin, all) => {
  let wait;
  for (const key of Object.keys(localStorage)) {
    const { survey, origin: home, at, body } = key.startsWith(PREFIX) ? read(key) : {};
    if (Date.now() - at > WEEK) localStorage.removeItem(key);
    else if (home == origin && !all(survey).some((element) => element.shown && element.shown.open)) {
      const { status, headers } = await post(origin, survey, body);
      if (isDurable(status) || isRefused(status)) {
        localStorage.removeItem(key);
        if (isRefused(status)) console.error(`afterword: refused: survey "${survey}": status ${status}`);
      } else {
        wait = +(headers && headers.get("retry-after")) || 0;
        // The whole server is away or busy, not just this survey.
        if (!status || status == 429 || status >= 500) break;
      }
    }
  }
  return wait;
};

let busy;
let timer;
let tries = 0;

// Sends what waits for one server, again and again until nothing does: after 2 seconds at most, then twice as
// long each time up to 5 minutes, not before the server asked for, and at once when it is called. Another
// tab may send the same at the same time, since the server knows a submission by its UUID.
export const flush = async (origin, all) => {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    const wait = await send(origin, all);
    const most = Math.min(2000 * 2 ** tries++, 300000);
    if (wait == null) tries = 0;
    else timer = setTimeout(flush, Math.min(wait * 1000, 2 ** 30) + (most / 2) * (1 + Math.random()), origin, all);
  } finally {
    busy = false;
  }
};
