//! The page that shows how close models come to their references.

use std::path::PathBuf;

/// Where the table begins in the page.
const MARK: &str = "<!-- The rest of this page is written by its command. -->\n";

/// One case: how many outputs were compared and the largest errors among them.
pub struct Row {
    pub case: String,
    pub model_type: String,
    pub outputs: Vec<String>,
    pub max_abs_error: f32,
    /// None where no loss was compared.
    pub max_loss_error: Option<f64>,
}

/// The page to write, if the tester asks for it.
fn page() -> Option<PathBuf> {
    std::env::var_os("WUJI_PARITY_PAGE").map(PathBuf::from)
}

/// Writes the rows behind the mark of the page, where there is one to write.
pub fn write(rows: &[Row]) {
    let Some(path) = page() else { return };
    let before = std::fs::read_to_string(&path).unwrap();
    let (head, _) = before.split_once(MARK).expect("the page has the mark");
    std::fs::write(&path, format!("{head}{MARK}\n{}", markdown(rows))).unwrap();
}

fn markdown(rows: &[Row]) -> String {
    let mut text =
        "| case | family | outputs compared | largest error | largest relative error of a loss |\n\
                    |---|---|---|---|---|\n"
            .to_string();
    for Row { case, model_type, outputs, max_abs_error, max_loss_error } in rows {
        let outputs = outputs.join(", ");
        let loss = max_loss_error.map_or("–".to_string(), |error| format!("{error:.1e}"));
        text += &format!("| {case} | {model_type} | {outputs} | {max_abs_error:.1e} | {loss} |\n");
    }
    text
}
