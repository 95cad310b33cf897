//! A `Cargo.toml` as the rules need it: its dependencies and features, each with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::line_of;

/// What the rules need of one `Cargo.toml`.
#[derive(Debug, Default)]
pub struct Manifest {
    /// `package.name`, empty for a workspace's root.
    pub package: String,
    /// `[dependencies]` and its kin, those of `[target]` too.
    pub dependencies: Vec<Dependency>,
    /// `[workspace.dependencies]`.
    pub shared: Vec<Dependency>,
    /// Every entry of every feature.
    pub features: Vec<Feature>,
    /// Whether `[lints] workspace = true` stands in it.
    pub inherits_lints: bool,
}

/// One dependency of a manifest.
#[derive(Debug)]
pub struct Dependency {
    /// The name it has here.
    pub name: String,
    /// The package's own name, if it was renamed.
    pub package: String,
    /// Its line, from 1.
    pub line: usize,
    /// The keys written for it; a bare version is `version`.
    pub keys: Vec<String>,
    /// `version`, where there is one.
    pub version: Option<String>,
    /// `features`.
    pub features: Vec<String>,
    /// Whether it says `workspace = true`.
    pub inherits: bool,
}

/// One entry of one feature, as in `wgpu = ["burn/wgpu"]`.
#[derive(Debug)]
pub struct Feature {
    /// What the feature turns on.
    pub entry: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Manifest {
    /// Reads a manifest. The error is a line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let document = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            (line_of(text, offset), error.message().to_owned())
        })?;
        let root = document.get_ref();
        let mut manifest = Self::default();
        if let Some(package) = table(root, "package") {
            manifest.package = string(package, "name").unwrap_or_default();
        }
        manifest.collect_dependencies(root, text);
        for (_, target) in table(root, "target").into_iter().flatten() {
            if let DeValue::Table(target) = target.get_ref() {
                manifest.collect_dependencies(target, text);
            }
        }
        if let Some(workspace) = table(root, "workspace") {
            manifest.shared = dependencies(workspace, "dependencies", text);
        }
        for (_, entries) in table(root, "features").into_iter().flatten() {
            manifest.features.extend(entries_of(entries, text));
        }
        manifest.inherits_lints =
            table(root, "lints").is_some_and(|lints| is_true(lints, "workspace"));
        Ok(manifest)
    }

    fn collect_dependencies(&mut self, parent: &DeTable<'_>, text: &str) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            self.dependencies.extend(dependencies(parent, kind, text));
        }
    }
}

fn dependencies(parent: &DeTable<'_>, kind: &str, text: &str) -> Vec<Dependency> {
    let entries = table(parent, kind).into_iter().flatten();
    entries
        .map(|(name, value)| {
            dependency(name.get_ref(), line_of(text, name.span().start), value.get_ref())
        })
        .collect()
}

fn dependency(name: &str, line: usize, value: &DeValue<'_>) -> Dependency {
    let mut dependency = Dependency {
        name: name.to_owned(),
        package: name.to_owned(),
        line,
        keys: Vec::new(),
        version: None,
        features: Vec::new(),
        inherits: false,
    };
    match value {
        DeValue::String(version) => {
            dependency.keys.push("version".into());
            dependency.version = Some(version.to_string());
        }
        DeValue::Table(table) => {
            dependency.keys = table.iter().map(|(key, _)| key.get_ref().to_string()).collect();
            dependency.version = string(table, "version");
            dependency.package = string(table, "package").unwrap_or(dependency.package);
            dependency.inherits = is_true(table, "workspace");
            let features = get(table, "features").and_then(DeValue::as_array);
            let features = features.into_iter().flatten();
            dependency.features = features
                .filter_map(|feature| feature.get_ref().as_str().map(String::from))
                .collect();
        }
        _ => {}
    }
    dependency
}

fn entries_of(feature: &Spanned<DeValue<'_>>, text: &str) -> Vec<Feature> {
    let entries = feature.get_ref().as_array().into_iter().flatten();
    entries
        .filter_map(|entry| {
            Some(Feature {
                entry: entry.get_ref().as_str()?.to_owned(),
                line: line_of(text, entry.span().start),
            })
        })
        .collect()
}

fn get<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeValue<'i>> {
    let mut entries = table.iter();
    entries.find_map(|(name, value)| (name.get_ref() == key).then(|| value.get_ref()))
}

fn table<'a, 'i>(parent: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    match get(parent, key)? {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn string(table: &DeTable<'_>, key: &str) -> Option<String> {
    get(table, key).and_then(DeValue::as_str).map(String::from)
}

fn is_true(table: &DeTable<'_>, key: &str) -> bool {
    matches!(get(table, key), Some(DeValue::Boolean(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_are_read_with_their_lines() {
        let text = "\
[package]
name = \"wuji-data\"
[lints]
workspace = true
[dependencies]
serde.workspace = true
burn = { workspace = true, features = [\"wgpu\"] }
[dev-dependencies]
old = \"1.2\"
[target.'cfg(unix)'.dependencies]
renamed = { package = \"libc\", version = \"0.2\" }
[features]
default = []
wgpu = [\"burn/wgpu\"]
";
        let manifest = Manifest::parse(text).expect("valid");
        assert_eq!(manifest.package, "wuji-data");
        assert!(manifest.inherits_lints);
        let find = |name: &str| {
            let mut all = manifest.dependencies.iter();
            all.find(|dependency| dependency.name == name).expect("read")
        };
        assert!(find("serde").inherits && find("serde").line == 6);
        assert_eq!(find("burn").features, ["wgpu"]);
        assert_eq!((find("old").version.as_deref(), find("old").line), (Some("1.2"), 9));
        assert_eq!((find("renamed").package.as_str(), find("renamed").line), ("libc", 11));
        let features: Vec<_> =
            manifest.features.iter().map(|f| (f.entry.as_str(), f.line)).collect();
        assert_eq!(features, [("burn/wgpu", 14)]);
    }

    #[test]
    fn shared_dependencies_are_those_of_the_workspace() {
        let manifest =
            Manifest::parse("[workspace.dependencies]\nserde = \"1\"\nx = { git = \"g\" }\n")
                .expect("valid");
        let keys: Vec<_> = manifest.shared.iter().map(|shared| shared.keys.concat()).collect();
        assert_eq!(keys, ["version", "git"]);
        assert!(manifest.dependencies.is_empty());
    }

    #[test]
    fn a_syntax_error_has_its_line() {
        let (line, message) = Manifest::parse("[package]\nname = \n").expect_err("invalid");
        assert_eq!(line, 2);
        assert!(!message.is_empty());
    }
}
