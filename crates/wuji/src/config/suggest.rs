//! "Did you mean …?"

/// The candidate nearest to `word`, if it is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.6)
        // Of two as near, the one as long: a letter is mistyped more often than forgotten.
        .max_by(|(a, x), (b, y)| {
            a.total_cmp(b).then_with(|| (x.len() == word.len()).cmp(&(y.len() == word.len())))
        })
        .map(|(_, candidate)| candidate)
}

/// Adds a suggestion to serde's message about an unknown field or variant, which lists those there
/// are between backquotes.
pub fn with_suggestion(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let is_unknown = message.contains("unknown field") || message.contains("unknown variant");
    match quoted.split_first() {
        Some((word, candidates)) if is_unknown => match nearest(word, candidates.iter().copied()) {
            Some(candidate) => format!("{}; did you mean `{candidate}`?", message.trim_end()),
            None => message.trim_end().to_string(),
        },
        _ => message.trim_end().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_nonsense_is_not() {
        let keys = ["learning_rate", "max_steps", "seed"];
        assert_eq!(nearest("lerning_rate", keys), Some("learning_rate"));
        assert_eq!(nearest("colour", keys), None);
    }

    #[test]
    fn the_suggestion_comes_from_the_message() {
        let message = "unknown field `max_step`, expected one of `max_steps`, `seed`";
        assert!(with_suggestion(message).ends_with("did you mean `max_steps`?"));
        assert_eq!(with_suggestion("invalid type"), "invalid type");
    }
}
