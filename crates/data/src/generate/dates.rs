//! Pairs without data: dates as people write them, and as ISO 8601 writes them.
//!
//! The smallest task that needs attention: every part of the target is somewhere else in the source.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::pairs::TextPair;

/// How many pairs of dates there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatePairs {
    /// Pairs to learn from; default 20000.
    pub train: usize,
    /// Pairs that are held out, of days that no training pair has; default 500.
    pub validation: usize,
    /// Seed; default 0.
    pub seed: u64,
}

impl Default for DatePairs {
    fn default() -> Self {
        Self { train: 20_000, validation: 500, seed: 0 }
    }
}

const MONTHS: [(&str, u32); 12] = [
    ("January", 31),
    ("February", 28),
    ("March", 31),
    ("April", 30),
    ("May", 31),
    ("June", 30),
    ("July", 31),
    ("August", 31),
    ("September", 30),
    ("October", 31),
    ("November", 30),
    ("December", 31),
];
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// One day in so many is held out.
const HELD_OUT: u32 = 10;

impl DatePairs {
    /// The pairs to learn from.
    pub fn training_pairs(&self) -> Vec<TextPair> {
        self.draw(self.train, 0, false)
    }

    /// The pairs that are held out.
    pub fn validation_pairs(&self) -> Vec<TextPair> {
        self.draw(self.validation, 1, true)
    }

    fn draw(&self, count: usize, stream: u64, is_held_out: bool) -> Vec<TextPair> {
        let mut dice = Dice::new(self.seed, stream);
        let days = std::iter::repeat_with(|| Day::draw(&mut dice));
        let days: Vec<Day> =
            days.filter(|day| day.is_held_out() == is_held_out).take(count).collect();
        days.into_iter().map(|day| day.pair(&mut dice)).collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Day {
    year: u32,
    month: usize,
    day: u32,
}

impl Day {
    fn draw(dice: &mut Dice) -> Self {
        let month = dice.below(12);
        Self { year: dice.between(1900, 2099), month, day: dice.between(1, MONTHS[month].1) }
    }

    fn is_held_out(self) -> bool {
        let number = (self.year * 12 + self.month as u32) * 31 + self.day;
        number.wrapping_mul(2_654_435_761).rotate_left(15).is_multiple_of(HELD_OUT)
    }

    /// The day of the week (Sakamoto's method), Monday first.
    fn weekday(self) -> &'static str {
        const OFFSETS: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 2 { self.year - 1 } else { self.year };
        let from_sunday =
            (year + year / 4 - year / 100 + year / 400 + OFFSETS[self.month] + self.day) % 7;
        WEEKDAYS[(from_sunday as usize + 6) % 7]
    }

    fn pair(self, dice: &mut Dice) -> TextPair {
        let Self { year, day, .. } = self;
        let (month, number) = (MONTHS[self.month].0, self.month + 1);
        let short = &month[..3];
        let weekday = self.weekday();
        let source = match dice.below(8) {
            0 => format!("{day} {month} {year}"),
            1 => format!("{month} {day}, {year}"),
            2 => format!("{weekday}, {month} {day}, {year}"),
            3 => format!("{weekday}, {} {short} {year}", ordinal(day)),
            4 => format!("the {} of {month} {year}", ordinal(day)),
            5 => format!("{day}.{number}.{year}"),
            6 => format!("{} {day} {short} {year}", &weekday[..3]),
            _ => format!("{short} {}, {year}", ordinal(day)),
        };
        TextPair { source, target: format!("{year}-{number:02}-{day:02}") }
    }
}

fn ordinal(day: u32) -> String {
    let ending = match (day % 10, day) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn weekdays_are_those_of_the_calendar() {
        for (year, month, day, expected) in [
            (2000, 0, 1, "Saturday"),
            (1969, 6, 20, "Sunday"),
            (1900, 1, 28, "Wednesday"),
            (2026, 10, 26, "Thursday"),
        ] {
            assert_eq!(Day { year, month, day }.weekday(), expected);
        }
    }

    #[test]
    fn no_day_is_on_both_sides_and_a_seed_gives_the_same_pairs() {
        let dates = DatePairs { train: 3000, validation: 300, seed: 4 };
        let (train, validation) = (dates.training_pairs(), dates.validation_pairs());
        assert_eq!((train.len(), validation.len()), (3000, 300));
        let seen: HashSet<&str> = train.iter().map(|pair| pair.target.as_str()).collect();
        assert!(validation.iter().all(|pair| !seen.contains(pair.target.as_str())));
        assert_eq!(dates.training_pairs(), train);
        assert_ne!(DatePairs { seed: 5, ..dates }.training_pairs(), train);
    }

    #[test]
    fn ordinals_end_as_they_should() {
        let found: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31].map(ordinal).to_vec();
        let expected =
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"];
        assert_eq!(found, expected);
    }
}
