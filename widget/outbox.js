// Submissions that an earlier page could not deliver. A module of its own, loaded where something
// waits, so that a page pays for it only then. What waits is written by widget/src/outbox.rs.

const WEEK = 7 * 24 * 60 * 60 * 1000;

// Whether a reply ends the wait: the server has the submission, or will never take it.
const isFinal = (status) => status < 300 || (status >= 400 && status < 500 && status != 408 && status != 429);

const read = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    return {};
  }
};

// Sends what waits for one server, one after another; whatever fails waits for the next page. A survey
// that is shown sends its own: `all` finds the elements of one. Another tab may send the same at the
// same time, since the server knows a submission by its UUID.
export const flush = async (origin, all) => {
  for (const key of Object.keys(localStorage)) {
    const { survey, origin: home, at, body } = key.startsWith("afterword:outbox:") ? read(key) : {};
    if (home != origin || all(survey).some((element) => element.showing && element.showing.open)) continue;
    let done = Date.now() - at > WEEK;
    if (!done) {
      const init = { method: "POST", body, signal: AbortSignal.timeout(30000) };
      const reply = await fetch(`${origin}/v1/surveys/${encodeURIComponent(survey)}/answers`, init).catch(() => null);
      if (!reply) return;
      done = isFinal(reply.status);
    }
    if (done) localStorage.removeItem(key);
  }
};
