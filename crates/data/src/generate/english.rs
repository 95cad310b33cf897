//! The little English morphology that templates need: articles, plurals, capitals, pronouns and number words.

/// `word` with "a" or "an" before it, chosen by its first sound.
#[must_use]
pub fn with_article(word: &str) -> String {
    let lower = word.to_lowercase();
    let exception = |list: &[&str]| list.iter().any(|start| lower.starts_with(start));
    let vowel = if exception(&["uni", "use", "usu", "eu", "one ", "one-"]) || lower == "one" {
        false
    } else {
        exception(&["hour", "honest"]) || lower.starts_with(['a', 'e', 'i', 'o', 'u'])
    };
    format!("{} {word}", if vowel { "an" } else { "a" })
}

/// The regular plural of `noun`; irregular nouns carry theirs in the lexicon.
///
/// Of "ball of string" the ball is put into the plural.
#[must_use]
pub fn plural(noun: &str) -> String {
    if let Some((head, rest)) = noun.split_once(" of ") {
        return format!("{} of {rest}", plural(head));
    }
    if let Some(stem) = ["leaf", "loaf", "shelf", "scarf", "wolf", "calf"]
        .iter()
        .find_map(|f| noun.ends_with(f).then(|| &noun[..noun.len() - 1]))
    {
        return format!("{stem}ves");
    }
    let before_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => {
            format!("{noun}es")
        }
        None => format!("{noun}s"),
    }
}

/// `text` with its first letter in upper case; an opening quotation mark is skipped.
#[must_use]
pub fn capitalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = false;
    for c in text.chars() {
        if done || c == '"' {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
            done = true;
        }
    }
    out
}

/// `text` in title case: every word has a capital except short grammatical words inside.
#[must_use]
pub fn title_case(text: &str) -> String {
    const SMALL: [&str; 19] = [
        "a", "an", "and", "the", "of", "in", "on", "at", "to", "for", "with", "from", "by", "or",
        "but", "under", "behind", "near", "into",
    ];
    let words = text.split_whitespace().enumerate();
    words
        .map(
            |(i, word)| {
                if i > 0 && SMALL.contains(&word) { word.to_owned() } else { capitalise(word) }
            },
        )
        .collect::<Vec<_>>()
        .join(" ")
}

/// A number in words ("seven", "twenty-one"), in digits from one hundred up.
#[must_use]
pub fn number_word(n: u32) -> String {
    const ONES: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] =
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match n {
        0..20 => ONES[n as usize].to_owned(),
        20..100 if n.is_multiple_of(10) => TENS[n as usize / 10 - 2].to_owned(),
        20..100 => format!("{}-{}", TENS[n as usize / 10 - 2], ONES[n as usize % 10]),
        _ => n.to_string(),
    }
}

/// A number as an ordinal word ("third"), up to twelfth; with digits beyond ("13th").
#[must_use]
pub fn ordinal_word(n: u32) -> String {
    const ORDINALS: [&str; 12] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth", "eleventh", "twelfth",
    ];
    match n {
        1..=12 => ORDINALS[n as usize - 1].to_owned(),
        _ if (11..=13).contains(&(n % 100)) => format!("{n}th"),
        _ => format!("{n}{}", ["th", "st", "nd", "rd"].get(n as usize % 10).unwrap_or(&"th")),
    }
}

/// How often: "once", "twice", "three times".
#[must_use]
pub fn times_word(n: u32) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", number_word(n)),
    }
}

/// The pronoun of someone called `subject` ("she", "he", or "it") in the case named by the form of "they".
///
/// `None` when `form` is not one of `they`, `them`, `their`, `theirs`, `themself`, or `subject` is not one of the three.
#[must_use]
pub fn pronoun(subject: &str, form: &str) -> Option<&'static str> {
    let row = match subject {
        "she" => ["she", "her", "her", "hers", "herself"],
        "he" => ["he", "him", "his", "his", "himself"],
        "it" => ["it", "it", "its", "its", "itself"],
        _ => return None,
    };
    let case = ["they", "them", "their", "theirs", "themself"].iter().position(|&f| f == form)?;
    Some(row[case])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_follow_the_first_sound() {
        for (word, expected) in [
            ("kite", "a kite"),
            ("apple", "an apple"),
            ("hour", "an hour"),
            ("unicorn", "a unicorn"),
            ("umbrella", "an umbrella"),
            ("one-eyed cat", "a one-eyed cat"),
            ("onion", "an onion"),
        ] {
            assert_eq!(with_article(word), expected);
        }
    }

    #[test]
    fn plurals_are_regular() {
        for (noun, expected) in [
            ("egg", "eggs"),
            ("berry", "berries"),
            ("toy", "toys"),
            ("box", "boxes"),
            ("peach", "peaches"),
            ("oak leaf", "oak leaves"),
            ("pair of scissors", "pairs of scissors"),
        ] {
            assert_eq!(plural(noun), expected);
        }
    }

    #[test]
    fn capitals_reach_through_an_opening_quote() {
        assert_eq!(capitalise("\"look,\" he said"), "\"Look,\" he said");
        assert_eq!(title_case("the owl and the lost button"), "The Owl and the Lost Button");
    }

    #[test]
    fn numbers_are_words() {
        assert_eq!(
            [0, 7, 20, 21, 99, 100].map(number_word),
            ["zero", "seven", "twenty", "twenty-one", "ninety-nine", "100"]
        );
        assert_eq!(
            [1, 12, 13, 21, 111].map(ordinal_word),
            ["first", "twelfth", "13th", "21st", "111th"]
        );
        assert_eq!([1, 2, 3].map(times_word), ["once", "twice", "three times"]);
    }

    #[test]
    fn pronouns_agree() {
        assert_eq!(pronoun("she", "their"), Some("her"));
        assert_eq!(pronoun("he", "themself"), Some("himself"));
        assert_eq!(pronoun("he", "name"), None);
        assert_eq!(pronoun("kite", "they"), None);
    }
}
