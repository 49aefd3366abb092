// Submissions that an earlier page, or a survey that has left this one, could not deliver. A module of its
// own, loaded where something waits, so that a page pays for it only then.

import { delay, forget, isOld, parsed, post, waiting } from "./sending.js";

// Sends what waits, one after another. Gives nothing once nothing is left to do, else how many seconds the
// server asked to wait. A survey that is shown sends its own: `all` finds the elements of one.
const send = async (origin, all) => {
  let wait;
  const silent = [];
  for (const entry of waiting(origin)) {
    if (silent.includes(entry.survey)) continue;
    // Meanwhile another tab may have sent it.
    if (!parsed(entry.key) || all(entry.survey).some((element) => element.shown && element.shown.open)) continue;
    const { status, spoke, later, asked } = await post(entry);
    // What is refused for what is in it is tried on later pages until its time is over: the survey may be mended by then.
    if ((!later && status != 422) || (isOld(entry) && spoke)) forget(entry);
    if (later) {
      wait = asked;
      // The whole server is busy, not just this survey.
      if (status == 429 || status >= 500) break;
      // No reply at all: the net is away, or this survey alone does not take answers from this page's origin. What is
      // old may be a case of its own.
      if (!status && !isOld(entry)) silent.push(entry.survey);
    }
  }
  return wait;
};

let busy;
let timer;
let tries = 0;

// Sends what waits for one server, again and again until nothing does, and at once when it is called. Another
// tab may send the same at the same time, since the server knows a submission by its UUID.
export const flush = async (origin, all) => {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    const wait = await send(origin, all);
    if (wait == null) tries = 0;
    else timer = setTimeout(flush, delay(tries++, wait), origin, all);
  } finally {
    busy = false;
  }
};
