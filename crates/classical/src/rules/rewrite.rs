//! Texts rewritten by rules, with every change traced to its place in the original.

use std::ops::Range;

use super::{Rule, RuleMatch, RuleSet};

/// A rewritten text.
#[derive(Debug, Clone)]
pub struct Rewritten<'r> {
    /// The new text.
    pub text: String,
    /// What was changed, from the beginning to the end.
    pub edits: Vec<Edit<'r>>,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Edit<'r> {
    /// The rule that made it.
    pub rule: &'r Rule,
    /// The bytes of the original text that were replaced.
    pub original: Range<usize>,
    /// The bytes of the new text that stand for them.
    pub replaced: Range<usize>,
}

impl RuleMatch<'_> {
    /// What the rule's first replacement makes of the match; `None` for a rule without one. `text` is the text in
    /// which it was found.
    pub fn replacement(&self, text: &str) -> Option<String> {
        self.replacement_number(text, 0)
    }

    /// What the rule's replacement of this number makes of it; numbers past the last one begin again.
    pub(super) fn replacement_number(&self, text: &str, number: usize) -> Option<String> {
        let replacements = &self.rule.replacements;
        let template = replacements.get(number.checked_rem(replacements.len())?)?;
        let capture = |name: &str| self.captures.get(name).map(|span| &text[span.clone()]);
        Some(template.fill(&text[self.span.clone()], capture))
    }
}

impl RuleSet {
    /// Replaces what the rules [find](Self::find) by their first replacements. Matches of rules without one stay as
    /// they are, and protect their text from other rules.
    pub fn rewrite<'r>(&'r self, text: &str) -> Rewritten<'r> {
        let mut rewritten =
            Rewritten { text: String::with_capacity(text.len()), edits: Vec::new() };
        let mut at = 0;
        for found in self.find(text) {
            let Some(replacement) = found.replacement(text) else { continue };
            rewritten.text.push_str(&text[at..found.span.start]);
            let start = rewritten.text.len();
            rewritten.text.push_str(&replacement);
            let replaced = start..rewritten.text.len();
            at = found.span.end;
            rewritten.edits.push(Edit { rule: found.rule, original: found.span, replaced });
        }
        rewritten.text.push_str(&text[at..]);
        rewritten
    }
}
