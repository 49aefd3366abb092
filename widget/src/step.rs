//! One step: the question, what is to be said about the answers as a whole, and the buttons.

use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

use crate::erase::{Part, mark, swapped, written};
use crate::flow::fill;
use crate::question::{Question, QuestionProps};
use crate::survey::{Face, Screen, State, Survey};

/// The form around a question.
#[component]
pub(crate) fn Step(
    /// The survey to show.
    survey: Survey,
) -> impl IntoView {
    let asked = move || match survey.screen() {
        Screen::Question => Part::new(Question(QuestionProps { survey })),
        _ => Part::new(()),
    };
    let step = move || match survey.screen() {
        Screen::Question => {
            let place = survey.face().place;
            fill(&survey.word(|words| &words.progress), &[("n", place.step), ("total", place.total)])
        }
        _ => String::new(),
    };
    let label = move || {
        let face = survey.face();
        survey.word(match forward(&face) {
            _ if face.state == State::Sending => |words| &words.sending,
            "next" => |words| &words.next,
            "send" => |words| &words.send,
            _ => |words| &words.again,
        })
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        survey.forward();
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            if event.ctrl_key() || event.meta_key() {
                // Enter alone makes a new line in a text.
                survey.forward();
            } else if event.repeat() {
                // A key held down answers one question, not all of them.
                event.prevent_default();
            }
        }
    };
    let first = move || {
        let face = survey.face();
        (face.place.step < 2 || face.state.is_closed()).then_some("")
    };
    view! {
        <form novalidate="" on:submit=submit on:keydown=keys>
            <div
                class="slide"
                data-way=mark(move || survey.face().backwards.then_some("back"))
                inert=mark(move || survey.face().state.is_closed().then_some(""))
            >
                {swapped(asked)}
            </div>
            <p class="note" part="status" role="status">{written(move || survey.face().note)}</p>
            <div class="foot">
                <span class="step" part="step">{written(step)}</span>
                <button class="back" part="back" type="button" hidden=mark(first) on:click=move |_| survey.back()>
                    {survey.word(|words| &words.back)}
                </button>
                <button
                    class="next"
                    part=mark(move || Some(forward(&survey.face())))
                    type="submit"
                    aria-disabled=mark(move || (survey.face().state == State::Sending).then_some("true"))
                >
                    {written(label)}
                </button>
            </div>
        </form>
    }
}

/// Which of its three jobs the filled button has.
fn forward(face: &Face) -> &'static str {
    match face.state {
        State::Kept => "again",
        _ if face.place.step < face.place.total => "next",
        _ => "send",
    }
}
