//! What a submission may hold, in one place for both sides.
//!
//! Lengths are in Unicode scalar values, the unit that Rust's `chars()` counts.

/// Largest body of a submission, in bytes.
pub const BODY_BYTES: usize = 64 * 1024;
/// Most questions in a survey.
pub const QUESTIONS: usize = 100;
/// Most options of one choice question.
pub const OPTIONS: usize = 200;
/// Length of an answer to a text question, where the survey names none.
pub const TEXT_DEFAULT: u32 = 2_000;
/// Longest length that a survey may ask for.
pub const TEXT_MAX: u32 = 10_000;
/// Longest text that says what an option called "other" means.
pub const OTHER: u32 = 200;
/// Longest that all text answers of a survey may be together: whatever is written, the submission's
/// body stays within [`BODY_BYTES`], with a quarter of it left for everything else.
pub const TEXT_TOTAL: u32 = 12_000;
const _: () = assert!(TEXT_TOTAL as usize * 4 <= BODY_BYTES / 4 * 3, "a character has up to four bytes");
/// Most steps of a score question.
pub const SCORE_STEPS: i32 = 11;
/// Most stars of a score question: more do not fit side by side on a phone.
pub const STARS: i32 = 10;
/// Most smileys of a score question: more are not told apart.
pub const SMILEYS: i32 = 7;
/// Most metadata keys in a submission.
pub const METADATA_KEYS: usize = 50;
/// Longest metadata key.
pub const METADATA_KEY: usize = 100;
/// Longest metadata value.
pub const METADATA_VALUE: usize = 1_000;
/// Longest field of a respondent.
pub const RESPONDENT_FIELD: usize = 320;
/// Longest URL kept from a visitor's page; longer ones are cut.
pub const URL: usize = 2_000;

/// True for characters that no answer may hold: controls other than tab and line feed, and the
/// two noncharacters that end the basic plane.
pub fn is_forbidden(character: char) -> bool {
    (character.is_control() && character != '\n' && character != '\t')
        || matches!(character, '\u{fffe}' | '\u{ffff}')
}
