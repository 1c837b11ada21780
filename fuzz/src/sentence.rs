//! What is promised of each sentence that ends in a status or a log.

/// Characters that the sentence of an error has at most.
const LONGEST: usize = 4_000;

/// One line, and not without end.
pub fn check(sentence: &str) {
    assert!(!sentence.chars().any(char::is_control), "a control character is shown: {sentence:?}");
    let length = sentence.chars().count();
    assert!(length <= LONGEST, "{length} characters: {sentence:.200}…");
}
