//! What to do about a refusal: the platform's messages ("Hello Customer API overview", sections 5 and 6), for operators.

use super::{Outcome, Reply};

/// The platform's messages, each by a part that is in no other, in lower case; and what to do.
///
/// What is before another wins: messages are looked for in this order.
const MESSAGES: [(&str, &str); 13] = [
    (
        "languageuniqueid is not part of this touchpoint",
        "the touchpoint is not offered in this language: add it in the touchpoint's settings, or leave it out here",
    ),
    (
        "format of the guid of the language is not valid",
        "the platform does not know the language's GUID as one: `base_url` may lead to something else",
    ),
    (
        "guid of the language is empty",
        "the call has no language: this program always sends one, so `base_url` may lead to something else",
    ),
    ("language with id", "the platform does not have this language: use one of its 29"),
    (
        "touchpoint with id",
        "the platform does not have this touchpoint: compare `touchpoint` with the touchpoint's settings, under general \
         configuration",
    ),
    (
        "model of the respondent is invalid",
        "something about a respondent is not as the platform takes it: an e-mail address, a language and texts",
    ),
    ("the respondent email", "the address is none: mend it, or leave the row out"),
    (
        "format of the guid of the question item is not valid",
        "a question's `guid` is none: compare it with the platform, or write the survey anew with `afterword import`",
    ),
    (
        "questionitemuniqueid is empty",
        "a question has no `guid` in this language: add it, or write the survey anew with `afterword import`",
    ),
    (
        "questionitemuniqueid of an answer is not correct",
        "a question's `guid` belongs to another touchpoint or language, or its kind differs: compare the survey with the \
         platform",
    ),
    ("mandatory", "the touchpoint's settings ask for this metadata: add it, or make it optional there"),
    (
        "only available for email-based touchpoints",
        "respondents are taken by touchpoints that send e-mail only",
    ),
    (
        "json model is not correct",
        "the platform does not understand the call: `base_url` may lead to another version of it",
    ),
];

const TOKEN: &str = "the token is not taken for this: it may have expired, lack the right for this kind of call, or not be for \
                     this touchpoint. Look at the token in the platform, and at token_env or token_file";
const THROTTLED: &str = "less than a second lay between two calls with this token: does another program use it as well? Give it a \
                         token of its own";

const REDIRECT: &str = "the platform's calls lead nowhere else, and no redirect is followed: base_url is wrong, compare it with the \
                        platform's API page";
const FORBIDDEN: &str = "the platform, or a proxy or firewall before it, does not let this call through: look at the token's rights in \
                         the platform, and whether this server's address may call it";

/// What an operator may do about what came of a call; nothing where the outcome says it all.
pub fn advice(outcome: &Outcome) -> Option<&'static str> {
    let Outcome::Reply(Reply { status, words, .. }) = outcome else { return None };
    let words = words.to_lowercase();
    match status {
        300..=399 => Some(REDIRECT),
        401 => Some(TOKEN),
        403 => Some(FORBIDDEN),
        429 => Some(THROTTLED),
        400 => MESSAGES.iter().find(|(part, _)| words.contains(part)).map(|(_, advice)| *advice),
        404 => Some("the platform has no such call here: compare base_url with the platform's API page"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, words: &str) -> Option<&'static str> {
        advice(&Outcome::Reply(Reply { status, retry_after: None, words: words.into() }))
    }

    /// Sections 5 and 6, as they are written there.
    #[test]
    fn every_message_of_the_page_says_what_to_do() {
        for (words, tells) in [
            ("The JSON model is not correct", "base_url"),
            ("The LanguageUniqueId is not part of this touchpoint", "settings"),
            ("The Guid of the language is empty or the format is incorrect", "no language"),
            ("The format of the Guid of the language is not valid", "GUID"),
            ("Language with ID: B913ECA5-638C-4B5C-80FD-4BC9E3B29587 not found", "29"),
            ("Touchpoint with ID: c8dc5f94-a9e8-4743-8744-e66a73a7e724 not found", "touchpoint"),
            ("The model of the respondent is invalid", "respondent"),
            ("The respondent email jef is invalid", "mend"),
            ("The format of the Guid of the question item is not valid", "`guid` is none"),
            ("The questionItemUniqueId is empty or the format is incorrect", "no `guid`"),
            ("The questionItemUniqueId of an answer is not correct", "another touchpoint"),
            ("The metadata shop is mandatory for this touchpoint", "metadata"),
        ] {
            assert!(
                of(400, words).is_some_and(|advice| advice.contains(tells)),
                "{words}: {:?}",
                of(400, words)
            );
        }
        assert!(of(302, "").is_some_and(|advice| advice.contains("base_url")));
        assert!(of(403, "").is_some_and(|advice| advice.contains("rights") && advice.contains("firewall")));
        assert!(of(401, "").is_some_and(|advice| advice.contains("expired")));
        assert!(of(429, "Too many requests").is_some_and(|advice| advice.contains("another program")));
        assert_eq!(
            (of(200, ""), of(400, "something new"), advice(&Outcome::Lost(String::new()))),
            (None, None, None)
        );
    }
}
