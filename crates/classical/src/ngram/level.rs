//! All contexts of one length with the tokens that followed them, folded out of sorted positions.

/// A context: some tokens in a row that something followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    /// The context without its oldest token, as an index into the level of one token less.
    pub parent: u32,
    /// Its oldest token, the one farthest from what is predicted; the boundary id exactly when
    /// the context reaches over the start of a document. Zero at length 0.
    pub oldest: u32,
    /// Where its successors begin; they end where those of the next context begin.
    pub first_successor: u32,
}

/// A token that followed a context, i.e. one n-gram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Successor {
    /// The token.
    pub token: u32,
    /// How often it followed: the raw count of the n-gram.
    pub occurrences: u32,
    /// After how many different tokens the n-gram occurred, the start of a document being one:
    /// its continuation count. Not known (0) at the longest length counted.
    pub left_neighbours: u32,
}

/// The contexts of one length, sorted by their tokens read backwards; the successors of each
/// sorted by token.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// The contexts.
    pub contexts: Vec<Context>,
    /// The successors of all contexts, end to end.
    pub successors: Vec<Successor>,
}

impl Level {
    fn with_capacity(contexts: usize, successors: usize) -> Self {
        Self { contexts: Vec::with_capacity(contexts), successors: Vec::with_capacity(successors) }
    }

    fn shrink_to_fit(&mut self) {
        self.contexts.shrink_to_fit();
        self.successors.shrink_to_fit();
    }

    /// The successors of the context at `index`.
    pub fn successors(&self, index: usize) -> &[Successor] {
        let start = self.contexts[index].first_successor as usize;
        let end = self
            .contexts
            .get(index + 1)
            .map_or(self.successors.len(), |next| next.first_successor as usize);
        &self.successors[start..end]
    }

    fn push_context(&mut self, stream: &[u32], run: Run, length: usize) {
        self.contexts.push(Context {
            parent: 0, // set when the parent is made
            oldest: if length == 0 { 0 } else { stream[run.position as usize - length] },
            first_successor: self.successors.len() as u32,
        });
    }
}

/// A run of sorted positions with the same context: what building the next level needs to know.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// One position of the run, from which the context can be read.
    position: u32,
    /// How many tokens, nearest first, its context shares with that of the run before.
    shared: u8,
}

/// Builds the levels for contexts of `0..=length` tokens (index = length) from positions sorted by
/// [`sort_by_context`](super::sort::sort_by_context) with the same length.
pub(crate) fn build_levels(
    stream: &[u32],
    positions: &[u32],
    length: usize,
    vocab_size: usize,
) -> Vec<Level> {
    let (longest, runs) = longest_level(stream, positions, length);
    fold_levels(longest, runs, stream, length, vocab_size)
}

/// All levels from the longest one.
fn fold_levels(
    longest: Level,
    mut runs: Vec<Run>,
    stream: &[u32],
    length: usize,
    vocab_size: usize,
) -> Vec<Level> {
    let mut levels = vec![longest];
    let mut tally = Tally::new(vocab_size);
    for shorter in (0..length).rev() {
        let (level, next_runs) = {
            let longer = levels.last_mut().expect("starts with the longest level");
            fold(longer, &runs, stream, shorter, &mut tally)
        };
        runs = next_runs;
        levels.push(level);
    }
    levels.reverse();
    levels
}

/// Builds the levels from n-grams that come sorted and already counted.
pub(crate) struct LevelBuilder {
    length: usize,
    longest: Level,
    runs: Vec<Run>,
    /// The different contexts end to end, each oldest token first: in place of the text.
    contexts: Vec<u32>,
}

impl LevelBuilder {
    /// For contexts of `0..=length` tokens.
    pub fn new(length: usize) -> Self {
        Self { length, longest: Level::default(), runs: Vec::new(), contexts: Vec::new() }
    }

    /// Adds an n-gram: its context, nearest token first, its token, and how often it occurred.
    /// They must come sorted, and each once.
    pub fn push(&mut self, context: &[u32], token: u32, occurrences: u32) {
        let before = &self.contexts[self.contexts.len() - self.length * self.runs.len().min(1)..];
        let shared = before.iter().rev().zip(context).take_while(|(a, b)| a == b).count();
        if self.runs.is_empty() || shared < self.length {
            self.contexts.extend(context.iter().rev());
            let run = Run { position: self.contexts.len() as u32, shared: shared as u8 };
            self.longest.push_context(&self.contexts, run, self.length);
            self.runs.push(run);
        }
        self.longest.successors.push(Successor { token, occurrences, left_neighbours: 0 });
    }

    /// The levels, index = context length.
    pub fn finish(mut self, vocab_size: usize) -> Vec<Level> {
        self.longest.shrink_to_fit();
        fold_levels(self.longest, self.runs, &self.contexts, self.length, vocab_size)
    }
}

/// Counts the runs of positions with equal contexts of the full length.
fn longest_level(stream: &[u32], positions: &[u32], length: usize) -> (Level, Vec<Run>) {
    // Here and in `fold` the sizes are known from above, and memory that is never written costs
    // nothing: one reservation instead of growth by doubling.
    let mut level = Level::with_capacity(positions.len(), positions.len());
    let mut runs = Vec::new();
    let mut previous = None;
    for &position in positions {
        let shared =
            previous.map_or(0, |previous| shared_tokens(stream, previous, position, length));
        let same_context = previous.is_some() && shared == length;
        if !same_context {
            let run = Run { position, shared: shared as u8 };
            level.push_context(stream, run, length);
            runs.push(run);
        }
        let token = stream[position as usize];
        match level.successors.last_mut() {
            Some(last) if same_context && last.token == token => last.occurrences += 1,
            _ => level.successors.push(Successor { token, occurrences: 1, left_neighbours: 0 }),
        }
        previous = Some(position);
    }
    level.shrink_to_fit();
    (level, runs)
}

/// How many of the `length` tokens before `a` and `b` are equal, going backwards.
fn shared_tokens(stream: &[u32], a: u32, b: u32, length: usize) -> usize {
    let before = |position: u32| stream[position as usize - length..position as usize].iter().rev();
    before(a).zip(before(b)).take_while(|(a, b)| a == b).count()
}

/// Joins the contexts of `longer` that differ only in their oldest token into contexts of
/// `length` tokens, and links them to their new parents.
fn fold(
    longer: &mut Level,
    runs: &[Run],
    stream: &[u32],
    length: usize,
    tally: &mut Tally,
) -> (Level, Vec<Run>) {
    let mut level = Level::with_capacity(longer.contexts.len(), longer.successors.len());
    let mut next_runs = Vec::new();
    let mut start = 0;
    while start < runs.len() {
        let children = runs[start + 1..].iter().take_while(|run| usize::from(run.shared) >= length);
        let end = start + 1 + children.count();
        let parent = level.contexts.len() as u32;
        level.push_context(stream, runs[start], length);
        next_runs.push(runs[start]);
        for child in &mut longer.contexts[start..end] {
            child.parent = parent;
        }
        join_successors(longer, start..end, tally, &mut level.successors);
        start = end;
    }
    level.shrink_to_fit();
    (level, next_runs)
}

/// Appends the successors of the `children` of one context: occurrences add up, and each child
/// that has a successor is one left neighbour of it.
fn join_successors(
    longer: &Level,
    children: std::ops::Range<usize>,
    tally: &mut Tally,
    into: &mut Vec<Successor>,
) {
    if children.len() == 1 {
        // By far the most frequent case among long contexts.
        let only = longer.successors(children.start);
        into.extend(only.iter().map(|successor| Successor { left_neighbours: 1, ..*successor }));
        return;
    }
    for child in children {
        for successor in longer.successors(child) {
            tally.add(*successor);
        }
    }
    tally.drain_sorted(into);
}

/// Sums by token, in arrays over the vocabulary that are cleared only where they were touched.
struct Tally {
    occurrences: Vec<u32>,
    left_neighbours: Vec<u32>,
    touched: Vec<u32>,
}

impl Tally {
    fn new(vocab_size: usize) -> Self {
        Self {
            occurrences: vec![0; vocab_size],
            left_neighbours: vec![0; vocab_size],
            touched: Vec::new(),
        }
    }

    fn add(&mut self, successor: Successor) {
        let token = successor.token as usize;
        if self.left_neighbours[token] == 0 {
            self.touched.push(successor.token);
        }
        self.occurrences[token] += successor.occurrences;
        self.left_neighbours[token] += 1;
    }

    fn drain_sorted(&mut self, into: &mut Vec<Successor>) {
        self.touched.sort_unstable();
        for token in self.touched.drain(..) {
            into.push(Successor {
                token,
                occurrences: std::mem::take(&mut self.occurrences[token as usize]),
                left_neighbours: std::mem::take(&mut self.left_neighbours[token as usize]),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sort::sort_by_context;
    use super::*;

    /// The successors of the context at `index` as (token, occurrences, left neighbours).
    fn successors(level: &Level, index: usize) -> Vec<(u32, u32, u32)> {
        let triple = |s: &Successor| (s.token, s.occurrences, s.left_neighbours);
        level.successors(index).iter().map(triple).collect()
    }

    #[test]
    fn counts_of_a_small_text_by_hand() {
        // "a b a b a c" with a=0 b=1 c=2, the boundary 3 twice in front.
        let stream = [3, 3, 0, 1, 0, 1, 0, 2];
        let positions = sort_by_context(&stream, (2..8).collect(), 2, 3);
        let levels = build_levels(&stream, &positions, 2, 3);

        assert_eq!(levels.len(), 3);
        // a three times, after the start and b; b twice, after a; c once, after a.
        assert_eq!(successors(&levels[0], 0), [(0, 3, 2), (1, 2, 1), (2, 1, 1)]);

        // After a: b twice (a preceded by start, then by b), c once. After b: a. At the start: a.
        assert_eq!(levels[1].contexts.iter().map(|c| c.oldest).collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(successors(&levels[1], 0), [(1, 2, 2), (2, 1, 1)]);
        assert_eq!(successors(&levels[1], 1), [(0, 2, 1)]);
        assert_eq!(successors(&levels[1], 2), [(0, 1, 1)]);

        // (oldest, parent) of: b a, start a, a b, start start.
        let links: Vec<_> = levels[2].contexts.iter().map(|c| (c.oldest, c.parent)).collect();
        assert_eq!(links, [(1, 0), (3, 0), (0, 1), (3, 2)]);
        assert_eq!(successors(&levels[2], 0), [(1, 1, 0), (2, 1, 0)]);
    }
}
