//! What a visitor has answered so far, kept for a reload of the page, and for another language of it.
//!
//! One key of `sessionStorage` per survey, so it ends with its tab; where the browser may remember nothing, and for further
//! elements of one survey, a property of the element, which ends with the page:
//! `afterword:draft:SURVEY` -> `{"at", "submission", "question", "answers"}`, where `submission` is the UUID
//! under which the answers will be handed in, `question` the one on screen, and the answers are written as
//! they are handed in. The UUID goes along since a draft can be taken up twice, by a tab that was
//! duplicated or a page that was gone back to: the server then has the visitor's answers once. Where storage
//! is refused or full, nothing is kept.

use crate::browser::{recall, remember};
use crate::flow::Flow;
use crate::json::{Json, Object};
use crate::mount::Stage;
use crate::wire;

/// For how long a draft is taken up again: a day, in milliseconds. Tabs are restored after weeks.
const LIFE: u64 = 24 * 60 * 60 * 1000;

/// Keeps where the visitor is; a flow without an answer is not worth keeping.
pub(crate) fn keep(stage: &Stage, survey: &str, submission: &str, flow: &Flow, now: u64) {
    remember(&stage.host, stage.drafts, &key(survey), &written(submission, flow, now).unwrap_or_default());
}

/// Takes up what the page answers ahead, in the form of a draft; see `browser::prefilled`.
pub(crate) fn take(prefilled: &str, flow: &mut Flow, now: u64) -> Option<String> {
    read(prefilled, flow, now).filter(|_| !flow.answers().is_empty())
}

/// Takes up a draft, if there is one that is young enough; gives the UUID of its submission.
pub(crate) fn resume(stage: &Stage, survey: &str, flow: &mut Flow, now: u64) -> Option<String> {
    let submission = read(&recall(&stage.host, stage.drafts, &key(survey)), flow, now);
    if submission.is_none() {
        forget(stage, survey);
    }
    submission
}

/// Forgets a draft, if there is one.
pub(crate) fn forget(stage: &Stage, survey: &str) {
    remember(&stage.host, stage.drafts, &key(survey), "");
}

/// Forgets a draft of the tab's, if there is one, whoever has it now.
pub(crate) fn forget_tabs(stage: &Stage, survey: &str) {
    remember(&stage.host, true, &key(survey), "");
}

fn key(survey: &str) -> String {
    ["afterword:draft:", survey].concat()
}

fn written(submission: &str, flow: &Flow, now: u64) -> Option<String> {
    let answers = wire::answers_written(flow.answers())?;
    let question = flow.question()?.id.as_str();
    let draft = Object::new().raw("at", &now.to_string()).text("submission", submission);
    Some(draft.text("question", question).raw("answers", &answers).end())
}

/// `None` for what is too old or no draft. A clock that was put back makes a draft younger, never older.
fn read(draft: &str, flow: &mut Flow, now: u64) -> Option<String> {
    let json = Json::read(draft)?;
    let at = u64::try_from(json.get("at").number()?).ok()?;
    if now.saturating_sub(at) > LIFE {
        return None;
    }
    let submission = json.get("submission").text()?;
    flow.resume(wire::answers(json.get("answers")), json.get("question").text());
    Some(submission.to_owned())
}

#[cfg(test)]
mod tests {
    use shared::{Kind, Question, Score, Text, Value};

    use super::*;

    const NOW: u64 = 1_000;

    fn question(id: &str, kind: Kind) -> Question {
        Question { id: id.parse().unwrap(), text: id.into(), hint: None, required: true, show_if: None, kind }
    }

    fn score(max: i32) -> Kind {
        Kind::Score(Score::of(0, max))
    }

    fn flow(first: Kind) -> Flow {
        Flow::new(vec![question("recommend", first), question("why", Kind::Text(Text { max_length: 5 }))])
    }

    /// A flow at its second question, and its draft.
    fn draft(words: &str) -> String {
        let mut flow = flow(score(10));
        flow.answer(flow.at(), Some(Value::Score(9)));
        flow.advance().unwrap();
        flow.answer(flow.at(), Some(Value::Text(words.into())));
        written("6f9b", &flow, NOW).unwrap()
    }

    #[test]
    fn a_draft_leads_back_to_its_question_and_its_answers() {
        let mut again = flow(score(10));
        assert_eq!(read(&draft("\"quick\""), &mut again, NOW + LIFE).as_deref(), Some("6f9b"));
        assert!(again.value(again.at()) == Some(&Value::Text("\"quick\"".into())));
        again.back();
        assert!(again.value(again.at()) == Some(&Value::Score(9)));
    }

    #[test]
    fn a_text_that_is_too_long_is_kept_for_the_visitor_to_shorten() {
        let mut again = flow(score(10));
        read(&draft("far too long"), &mut again, NOW).unwrap();
        assert!(again.value(again.at()) == Some(&Value::Text("far too long".into())));
        assert!(again.advance().is_err());
    }

    #[test]
    fn answers_that_no_longer_fit_are_dropped() {
        for other in [score(5), Kind::YesNo] {
            let mut again = flow(other);
            read(&draft("quick"), &mut again, NOW).unwrap();
            again.back();
            assert!(again.value(again.at()).is_none());
        }
        let mut again = Flow::new(vec![question("other", Kind::YesNo)]);
        read(&draft("quick"), &mut again, NOW).unwrap();
        assert!(again.answers().is_empty() && again.question().unwrap().id.as_str() == "other");
    }

    #[test]
    fn a_draft_is_too_old_after_a_day_and_what_is_none_is_not_taken_up() {
        let mut again = flow(score(10));
        assert!(read(&draft("quick"), &mut again, NOW + LIFE + 1).is_none());
        assert!(read("{", &mut again, NOW).is_none());
        assert!(read("[]", &mut again, NOW).is_none());
        assert!(again.answers().is_empty());
        assert!(read(&draft("quick"), &mut again, 0).is_some(), "a clock that was put back drops nothing");
    }

    #[test]
    fn nothing_is_kept_before_the_first_answer() {
        assert!(written("6f9b", &flow(score(10)), NOW).is_none());
    }
}
