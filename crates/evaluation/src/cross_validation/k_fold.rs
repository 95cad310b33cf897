//! k-fold cross-validation: every item is tested once per repetition.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::Fold;
use super::assign::{blocks, deal};
use crate::error::{EvaluationError, Result, same_length};

/// How items are split into folds.
///
/// Each method takes what the items say as bytes, as texts, and gives `folds` folds for every
/// repetition. Items that say the same stay together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KFold {
    /// Parts that the items are divided into, each of which is tested once; 5 by default.
    pub folds: usize,
    /// How often all is done anew, with another split; once by default.
    pub repeats: usize,
    /// Another seed splits differently; 0 by default.
    pub seed: u64,
}

impl Default for KFold {
    fn default() -> Self {
        Self { folds: 5, repeats: 1, seed: 0 }
    }
}

impl KFold {
    /// Folds of about the same size.
    pub fn plain<T: AsRef<[u8]>>(&self, contents: &[T]) -> Result<Vec<Fold>> {
        self.split::<T, ()>(contents, None, None)
    }

    /// Folds in which every label is as frequent as in all items (Kohavi, "A study of
    /// cross-validation and bootstrap for accuracy estimation and model selection", 1995).
    pub fn stratified<T: AsRef<[u8]>>(
        &self,
        contents: &[T],
        labels: &[usize],
    ) -> Result<Vec<Fold>> {
        self.split::<T, ()>(contents, None, Some(labels))
    }

    /// Folds that keep the items of a group together, as texts of one author.
    pub fn grouped<T: AsRef<[u8]>, G: Eq + Hash>(
        &self,
        contents: &[T],
        groups: &[G],
    ) -> Result<Vec<Fold>> {
        self.split(contents, Some(groups), None)
    }

    /// Folds that keep groups together, with labels as equally frequent as that allows.
    pub fn stratified_grouped<T: AsRef<[u8]>, G: Eq + Hash>(
        &self,
        contents: &[T],
        labels: &[usize],
        groups: &[G],
    ) -> Result<Vec<Fold>> {
        self.split(contents, Some(groups), Some(labels))
    }

    fn split<T: AsRef<[u8]>, G: Eq + Hash>(
        &self,
        contents: &[T],
        groups: Option<&[G]>,
        labels: Option<&[usize]>,
    ) -> Result<Vec<Fold>> {
        self.check()?;
        let items = contents.len();
        same_length("groups", items, groups.map_or(items, <[G]>::len))?;
        same_length("labels", items, labels.map_or(items, <[usize]>::len))?;
        let mut all = Vec::with_capacity(self.folds * self.repeats);
        for repeat in 0..self.repeats {
            // Odd and large, so that seeds that differ by one share no repetition.
            let seed = self.seed.wrapping_add((repeat as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (fold_of, sizes) = deal(blocks(contents, groups, labels, seed), items, self.folds);
            if sizes.contains(&0) {
                return Err(EvaluationError::InvalidOption {
                    option: "folds",
                    expected: "no more than there are groups or different items",
                    found: self.folds.to_string(),
                });
            }
            for fold in 0..self.folds {
                let (test, train) = (0..items).partition(|at| fold_of[*at] == fold);
                all.push(Fold { repeat, train, test });
            }
        }
        Ok(all)
    }

    fn check(&self) -> Result<()> {
        let at_least = |option, least: usize, expected, found: usize| {
            if found >= least {
                return Ok(());
            }
            Err(EvaluationError::InvalidOption { option, expected, found: found.to_string() })
        };
        at_least("folds", 2, "at least 2", self.folds)?;
        at_least("repeats", 1, "at least 1", self.repeats)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use super::*;

    fn texts(number: usize) -> Vec<String> {
        (0..number).map(|at| format!("text {at}")).collect()
    }

    /// Every item is tested once and trains in all other folds.
    fn check_partition(folds: &[Fold], items: usize) {
        let mut tested: Vec<usize> = Vec::new();
        for fold in folds {
            let mut all = [fold.train.clone(), fold.test.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..items).collect::<Vec<_>>());
            tested.extend(&fold.test);
        }
        tested.sort_unstable();
        assert_eq!(tested, (0..items).collect::<Vec<_>>());
    }

    #[test]
    fn plain_folds_differ_by_one_item_at_most() {
        let folds = KFold { folds: 4, ..Default::default() }.plain(&texts(23)).unwrap();
        check_partition(&folds, 23);
        let sizes: Vec<usize> = folds.iter().map(|fold| fold.test.len()).collect();
        assert!(sizes.iter().all(|size| (5..=6).contains(size)), "{sizes:?}");
    }

    #[test]
    fn the_split_depends_on_what_items_say_and_not_on_their_order() {
        let kfold = KFold { seed: 3, ..Default::default() };
        let named = |texts: &[String]| -> BTreeSet<BTreeSet<String>> {
            let folds = kfold.plain(texts).unwrap();
            folds.iter().map(|f| f.test.iter().map(|at| texts[*at].clone()).collect()).collect()
        };
        let forward = texts(40);
        let backward: Vec<String> = forward.iter().rev().cloned().collect();
        assert_eq!(named(&forward), named(&backward));
        let other = KFold { seed: 4, ..kfold }.plain(&forward).unwrap();
        assert_ne!(kfold.plain(&forward).unwrap(), other);
    }

    #[test]
    fn repetitions_are_whole_and_differ() {
        let folds = KFold { folds: 3, repeats: 4, seed: 0 }.plain(&texts(30)).unwrap();
        let parts: Vec<&[Fold]> = folds.chunks(3).collect();
        for (repeat, part) in parts.iter().enumerate() {
            check_partition(part, 30);
            assert!(part.iter().all(|fold| fold.repeat == repeat));
        }
        let different: HashSet<&Vec<usize>> = folds.iter().map(|fold| &fold.test).collect();
        assert_eq!(different.len(), 12);
    }

    #[test]
    fn copies_and_groups_are_one_chain_that_is_never_parted() {
        // 0 and 1 share a group, 1 and 2 say the same, 2 and 3 share a group.
        let contents = ["a", "b", "b", "c", "d", "e"];
        let groups = [1, 1, 2, 2, 3, 4];
        let folds = KFold { folds: 3, ..Default::default() }.grouped(&contents, &groups).unwrap();
        check_partition(&folds, 6);
        assert!(folds.iter().any(|fold| fold.test == [0, 1, 2, 3]));
    }

    #[test]
    fn too_few_items_and_lists_that_do_not_fit_are_errors() {
        let kfold = KFold { folds: 3, ..Default::default() };
        assert!(kfold.plain(&["a", "b", "b"]).is_err());
        assert!(kfold.grouped(&texts(9), &[0, 0, 0, 0, 1, 1, 1, 1, 1]).is_err());
        assert!(kfold.stratified(&texts(9), &[0]).is_err());
        assert!(KFold { folds: 1, ..kfold }.plain(&texts(9)).is_err());
        assert!(KFold { repeats: 0, ..kfold }.plain(&texts(9)).is_err());
        assert!(kfold.plain::<String>(&[]).is_err());
    }

    proptest! {
        #[test]
        fn strata_are_as_frequent_in_every_fold(
            labels in prop::collection::vec(0_usize..4, 20..120), folds in 2_usize..6, seed: u64
        ) {
            let kfold = KFold { folds, repeats: 1, seed };
            let split = kfold.stratified(&texts(labels.len()), &labels).unwrap();
            check_partition(&split, labels.len());
            for label in 0..4 {
                let count = |fold: &Fold| fold.test.iter().filter(|at| labels[**at] == label).count();
                let counts: Vec<usize> = split.iter().map(count).collect();
                let (low, high) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                prop_assert!(high - low <= 1, "label {}: {:?}", label, counts);
            }
        }

        #[test]
        fn no_group_is_on_both_sides(
            groups in prop::collection::vec(0_u8..12, 40..90), seed: u64
        ) {
            let kfold = KFold { folds: 3, repeats: 2, seed };
            let (texts, labels) = (texts(groups.len()), vec![0; groups.len()]);
            prop_assume!(groups.iter().collect::<HashSet<_>>().len() >= 3);
            for folds in [
                kfold.grouped(&texts, &groups).unwrap(),
                kfold.stratified_grouped(&texts, &labels, &groups).unwrap(),
            ] {
                folds.chunks(3).for_each(|part| check_partition(part, groups.len()));
                for fold in folds {
                    let of = |list: &[usize]| -> HashSet<u8> { list.iter().map(|at| groups[*at]).collect() };
                    prop_assert!(of(&fold.train).is_disjoint(&of(&fold.test)));
                }
            }
        }
    }

    #[test]
    fn groups_with_labels_of_their_own_are_spread_by_label() {
        // Twelve groups of five, a third of them of label 1.
        let groups: Vec<usize> = (0..60).map(|at| at / 5).collect();
        let labels: Vec<usize> = groups.iter().map(|group| usize::from(group % 3 == 0)).collect();
        let kfold = KFold { folds: 4, ..Default::default() };
        for fold in kfold.stratified_grouped(&texts(60), &labels, &groups).unwrap() {
            let ones = fold.test.iter().filter(|at| labels[**at] == 1).count();
            assert_eq!((ones, fold.test.len()), (5, 15));
        }
    }
}
