//! The end of a survey.

use leptos::prelude::*;

use crate::survey::Survey;

/// Thanks; only after the server has the answers.
#[component]
pub(crate) fn Thanks(
    /// The survey that was answered.
    survey: Survey,
) -> impl IntoView {
    let (thanks, more) = survey.words(|words| (words.thanks.clone(), words.thanks_more.clone()));
    view! {
        <div class="thanks" part="thanks" tabindex="-1">
            <p class="title">{thanks}</p>
            <p class="hint">{more}</p>
        </div>
    }
}
