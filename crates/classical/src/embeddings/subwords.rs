//! Pieces of words (Bojanowski et al. 2017, "Enriching word vectors with subword information"): runs of
//! characters, whose vectors make those of words that were never seen.

use serde::{Deserialize, Serialize};

/// Which pieces a word has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subwords {
    /// Characters of the shortest piece, of the word between `<` and `>`.
    pub shortest: usize,
    /// Characters of the longest piece.
    pub longest: usize,
    /// Vectors that pieces share by their hash. fastText has two million, for corpora of billions of
    /// words.
    pub buckets: usize,
}

impl Default for Subwords {
    fn default() -> Self {
        Self { shortest: 3, longest: 6, buckets: 100_000 }
    }
}

impl Subwords {
    /// The buckets of a word's pieces, as often as there are pieces, by fastText's hash.
    pub fn buckets_of(&self, word: &str) -> Vec<u32> {
        let marked = format!("<{word}>");
        let starts: Vec<usize> =
            marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
        let characters = starts.len() - 1;
        let mut buckets = Vec::new();
        for from in 0..characters {
            for length in self.shortest.max(1)..=self.longest.min(characters - from) {
                // A mark alone is no piece.
                if length == 1 && (from == 0 || from == characters - 1) {
                    continue;
                }
                let piece = &marked[starts[from]..starts[from + length]];
                buckets.push(hash(piece) % self.buckets as u32);
            }
        }
        buckets
    }
}

/// FNV-1a over bytes that are widened with their sign, as fastText's files need it.
fn hash(piece: &str) -> u32 {
    piece.bytes().fold(2_166_136_261, |hash, byte| {
        (hash ^ i32::from(byte as i8) as u32).wrapping_mul(16_777_619)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_paper() {
        // The paper's example: "where" with pieces of three characters.
        let subwords = Subwords { shortest: 3, longest: 3, buckets: 1 << 30 };
        let expected = ["<wh", "whe", "her", "ere", "re>"].map(|piece| hash(piece) % (1 << 30));
        assert_eq!(subwords.buckets_of("where"), expected);
        assert!(subwords.buckets_of("").is_empty());
        let single = Subwords { shortest: 1, longest: 1, ..subwords };
        assert_eq!(single.buckets_of("né").len(), 2);
    }

    #[test]
    fn the_hash_is_fnv_with_signed_bytes() {
        assert_eq!(hash(""), 2_166_136_261);
        // The published FNV-1a value of "foobar"; all bytes are below 128.
        assert_eq!(hash("foobar"), 0xbf9c_f968);
        // Two bytes above 127 are not what unsigned ones would give.
        let unsigned = "é"
            .bytes()
            .fold(2_166_136_261u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
        assert_ne!(hash("é"), unsigned);
    }
}
