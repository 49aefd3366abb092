//! The end of a survey.

use leptos::prelude::*;

use crate::survey::Survey;

/// Thanks; only after the server has the answers.
#[component]
pub(crate) fn Thanks(
    /// The survey that was answered.
    survey: Survey,
) -> impl IntoView {
    view! {
        <div class="thanks" part="thanks" tabindex="-1">
            <p class="title">{survey.word(|words| &words.thanks)}</p>
            <p class="hint">{survey.word(|words| &words.thanks_more)}</p>
        </div>
    }
}
