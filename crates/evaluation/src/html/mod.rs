//! Parts of a report: from plain data to HTML that needs no network and no script, prints, fits a
//! phone, follows the reader's light or dark mode, and says in words what it shows in colours.
//!
//! Each part is a struct that can be stored as JSON, and a method that gives its HTML; a [`Page`]
//! puts parts together. All text that is passed in is escaped; only what parts return is taken as
//! HTML, by [`Page::section`].
//!
//! ```
//! use wuji_evaluation::html::{EstimateTable, NumberFormat, Page};
//! use wuji_evaluation::uncertainty::wilson;
//!
//! # fn main() -> wuji_evaluation::Result<()> {
//! let mut table = EstimateTable::new("Accuracy", "task", NumberFormat::Percent { decimals: 1 });
//! table.push("boolq", wilson(71, 100, 0.95)?);
//! table.push("a < b", wilson(52, 100, 0.95)?);
//!
//! let mut page = Page::new("stories260k");
//! page.section("Scores", &table.html()?);
//! let html = page.html();
//! assert!(html.contains("71.0\u{202f}%") && html.contains("a &lt; b"));
//! # Ok(())
//! # }
//! ```

mod comparison_table;
mod confusion_table;
mod error_samples;
mod estimate_table;
mod number;
mod page;
mod reliability_diagram;
mod text;
mod whisker;

pub use comparison_table::ComparisonTable;
pub use confusion_table::ConfusionTable;
pub use error_samples::{ErrorSample, Highlight, HighlightKind, error_samples};
pub use estimate_table::{EstimateRow, EstimateTable};
pub use number::NumberFormat;
pub use page::{Page, cards, facts, note};
pub use reliability_diagram::ReliabilityDiagram;
pub use text::escape;
pub(crate) use text::scrolling_table;
