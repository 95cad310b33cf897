//! Porter's stemmer ("An algorithm for suffix stripping", 1980) with the changes that NLTK makes by
//! default, because ROUGE is reported with them.
//!
//! A stem is not a word: "relational" and "relate" both become "relat". The measure of a stem is
//! how often a vowel is followed by a consonant in it.

/// Words that the rules would treat badly, and their stems.
const IRREGULAR: [(&str, &str); 16] = [
    ("skies", "sky"),
    ("sky", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Step 2: long suffixes to shorter ones, where the stem has a measure above 0.
const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

/// Step 3: more of them, under the same condition.
const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

/// Step 4: what falls off where the stem has a measure above 1.
const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
];

/// The stem of a word of lower-case ASCII letters and digits.
pub fn porter_stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = final_y(past_and_participle(plural(word)));
    let word = replace_first(step_2(word), &STEP_3);
    double_l(final_e(step_4(word)))
}

/// Whether each letter is a consonant; a `y` is one unless a consonant is before it.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        flags.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !flags.last().copied().unwrap_or(false),
            _ => true,
        });
    }
    flags
}

fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| !pair[0] && pair[1]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_in_consonant(stem: &str) -> bool {
    consonants(stem).last() == Some(&true)
}

fn ends_in_double_consonant(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 2 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2] && ends_in_consonant(word)
}

/// Whether a stem ends like "hop", after which an "e" is silent; also two letters like "at".
fn ends_short(stem: &str) -> bool {
    match consonants(stem).as_slice() {
        [false, true] => true,
        [.., true, false, true] => !stem.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

/// Applies the first rule whose suffix the word has, if the stem has a measure above 0.
fn replace_first(word: String, rules: &[(&str, &str)]) -> String {
    for (suffix, with) in rules {
        if let Some(stem) = word.strip_suffix(suffix) {
            return if measure(stem) > 0 { format!("{stem}{with}") } else { word };
        }
    }
    word
}

/// Step 1a: "caresses" to "caress", "ponies" to "poni", "ties" to "tie", "cats" to "cat".
fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}{}", if stem.len() == 1 { "ie" } else { "i" });
    }
    if word.ends_with("ss") {
        return word.to_owned();
    }
    let shorter = word.strip_suffix("es").filter(|stem| stem.ends_with("ss"));
    shorter.or_else(|| word.strip_suffix('s')).unwrap_or(word).to_owned()
}

/// Step 1b: "agreed" to "agree", "plastered" to "plaster", "motoring" to "motor".
fn past_and_participle(word: String) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return format!("{stem}{}", if stem.len() == 1 { "ie" } else { "i" });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { format!("{stem}ee") } else { word };
    }
    let stem = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing"));
    match stem.filter(|stem| has_vowel(stem)) {
        Some(stem) => restored(stem),
        None => word,
    }
}

/// A stem with what the suffix took from it: "conflat" to "conflate", "hopp" to "hop", "fil" to
/// "file".
fn restored(stem: &str) -> String {
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        return format!("{stem}e");
    }
    if ends_in_double_consonant(stem) {
        let kept = stem.ends_with(['l', 's', 'z']);
        return stem[..stem.len() - usize::from(!kept)].to_owned();
    }
    let silent = measure(stem) == 1 && ends_short(stem);
    format!("{stem}{}", if silent { "e" } else { "" })
}

/// Step 1c: "happy" to "happi", but "enjoy" stays.
fn final_y(word: String) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && ends_in_consonant(stem) => format!("{stem}i"),
        _ => word,
    }
}

/// Step 2, where "alli" becomes "al" first, and what is left is looked at again.
fn step_2(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli")
        && measure(stem) > 0
    {
        return step_2(format!("{stem}al"));
    }
    match word.strip_suffix("ogi") {
        // "logi" to "log", where the measure is that of the stem with its "l".
        Some(stem) if stem.ends_with('l') && measure(stem) > 0 => format!("{stem}og"),
        _ => replace_first(word, &STEP_2),
    }
}

fn step_4(word: String) -> String {
    for suffix in STEP_4 {
        if let Some(stem) = word.strip_suffix(suffix) {
            let falls = measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't']));
            return if falls { stem.to_owned() } else { word };
        }
    }
    word
}

/// Step 5a: "probate" to "probat", "cease" to "ceas", but "rate" stays.
fn final_e(word: String) -> String {
    match word.strip_suffix('e') {
        Some(stem) if measure(stem) > 1 || (measure(stem) == 1 && !ends_short(stem)) => {
            stem.to_owned()
        }
        _ => word,
    }
}

/// Step 5b: "controll" to "control", but "roll" stays.
fn double_l(word: String) -> String {
    match word.strip_suffix('l') {
        Some(stem) if stem.ends_with('l') && measure(stem) > 1 => stem.to_owned(),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_porters_paper() {
        let examples = "caresses caress ponies poni ties tie cats cat feed feed agreed agre \
            plastered plaster bled bled motoring motor sing sing conflated conflat troubled troubl \
            sized size hopping hop tanned tan falling fall hissing hiss fizzed fizz failing fail \
            filing file happy happi sky sky relational relat conditional condit rational ration \
            valency valenc hesitancy hesit digitizer digit radically radic vilely vile \
            vietnamization vietnam operator oper feudalism feudal decisiveness decis \
            hopefulness hope callousness callous formality formal sensitivity sensit \
            triplicate triplic formative form formalize formal electricity electr goodness good \
            revival reviv allowance allow inference infer airliner airlin replacement replac \
            adjustment adjust adoption adopt communism commun effective effect probate probat \
            rate rate cease ceas controlling control rolling roll";
        let words: Vec<&str> = examples.split_whitespace().collect();
        for pair in words.chunks_exact(2) {
            assert_eq!(porter_stem(pair[0]), pair[1], "{}", pair[0]);
        }
    }

    #[test]
    fn nltks_changes() {
        for (word, stem) in [
            ("dying", "die"),
            ("succeed", "succeed"),
            ("enjoy", "enjoy"),
            ("spied", "spi"),
            ("died", "die"),
            ("geology", "geolog"),
            ("hopefully", "hope"),
            ("as", "as"),
        ] {
            assert_eq!(porter_stem(word), stem, "{word}");
        }
    }
}
