//! Language tags: whatever is asked for, one of the 29 or none is found, and always the same one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::Language;

fuzz_target!(|wishes: &str| {
    for tag in wishes.split(',') {
        let Some(found) = Language::matching(tag) else { continue };
        assert!(Language::all().any(|language| language == found));
        assert_eq!(Language::matching(found.tag()), Some(found));
        assert_eq!(Language::matching(&tag.to_ascii_uppercase()), Some(found));
        assert_eq!(Language::matching(&tag.to_ascii_lowercase()), Some(found));
        assert_eq!(
            Language::matching(&format!("{}-x-more", tag.trim())),
            Some(found),
            "regions do not matter"
        );
    }
    let all: Vec<Language> = Language::all().collect();
    assert_eq!(all.len(), 29);
    let offered = &all[..wishes.len() % all.len()];
    let chosen = Language::negotiate(wishes.split(','), offered);
    let wished = wishes.split(',').filter_map(Language::matching).find(|wish| offered.contains(wish));
    assert_eq!(chosen, wished, "the first wish that is offered");
});
