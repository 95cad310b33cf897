//! Rule on features: what only tests and benchmarks need turns on no feature of a crate that the product builds.
//!
//! `cargo xtask train` builds without development dependencies, `cargo xtask test` with them. Where one of those adds
//! a feature to a shared crate, cargo builds that crate and all above it twice, which for burn is minutes.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::Problem;

/// The words of `cargo tree` that list every package as `name version [features]`.
pub const LISTING: [&str; 5] =
    ["tree", "--workspace", "--prefix=none", "--format={p} [{f}]", "--edges"];

/// What follows [`LISTING`] for the product alone, and with what is needed to develop it.
pub const EDGES: [&str; 2] = ["normal,build", "normal,build,dev"];

/// Compares the listing of the product with that of the product and its development dependencies.
pub fn check(product: &str, development: &str) -> Vec<Problem> {
    let development = packages(development);
    let mut problems = Vec::new();
    for (package, features) in packages(product) {
        let others = development.get(package).cloned().unwrap_or_default();
        // A package may be listed more than once, for build scripts and for itself.
        for features in features.difference(&others) {
            let seen = others.iter().copied().collect::<Vec<_>>().join(" or ");
            let message = format!(
                "{package} is built with features [{features}] for the product and [{seen}] for the tests: name the \
                 development dependency behind it among the normal [dependencies] here, so that both agree"
            );
            problems.push(Problem::new("tests/Cargo.toml", 1, message));
        }
    }
    problems
}

/// The sets of features with which each package is built.
fn packages(listing: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in listing.lines() {
        // `(*)` marks a package whose own dependencies were listed before.
        let line = line.trim_end_matches("(*)").trim_end();
        if let Some((package, features)) = line.rsplit_once(" [") {
            packages.entry(package).or_default().insert(features.trim_end_matches(']'));
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str =
        "wuji v0.1.0 []\nciborium v0.2.2 [std]\nsyn v2.0.0 [full] (*)\nsyn v2.0.0 [derive,full]\n";

    #[test]
    fn development_dependencies_may_add_crates() {
        let development = format!("{PRODUCT}criterion v0.8.0 [default]\n\n");
        assert!(check(PRODUCT, &development).is_empty());
    }

    #[test]
    fn a_feature_added_to_a_shared_crate_is_found() {
        let development = PRODUCT.replace("[std]", "[default,std]");
        let found = check(PRODUCT, &development);
        assert_eq!(found.len(), 1);
        let message = &found[0].message;
        assert!(
            message.contains("ciborium v0.2.2") && message.contains("[default,std]"),
            "{message}"
        );
    }
}
