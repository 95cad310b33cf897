//! Rules on the `Cargo.toml`s: layers, backends, and dependencies named once.

use super::Files;
use super::layers::{self, Burn};
use super::manifest::{Dependency, Manifest};
use super::problem::Problem;

/// Packages that are a backend of burn or the inside of one.
const BACKEND_PACKAGES: [&str; 14] = [
    "burn-candle",
    "burn-cpu",
    "burn-cubecl",
    "burn-cubecl-fusion",
    "burn-cuda",
    "burn-dispatch",
    "burn-flex",
    "burn-fusion",
    "burn-ndarray",
    "burn-remote",
    "burn-rocm",
    "burn-router",
    "burn-tch",
    "burn-wgpu",
];

/// Features of `burn` that bring a backend.
const BACKEND_FEATURES: [&str; 14] = [
    "candle", "cpu", "cubecl", "cuda", "flex", "metal", "ndarray", "remote", "rocm", "router",
    "tch", "vulkan", "webgpu", "wgpu",
];

/// Whether a package is a backend of burn or the inside of one.
pub fn is_backend(package: &str) -> bool {
    BACKEND_PACKAGES.contains(&package) || package == "cubecl" || package.starts_with("cubecl-")
}

/// Checks every manifest of the workspace.
pub fn check(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    let manifests = files.iter().filter(|(path, _)| {
        let folder = path.strip_suffix("Cargo.toml").unwrap_or("-");
        matches!(folder, "" | "xtask/" | "tests/") || crate_folder(folder).is_some()
    });
    for (path, text) in manifests {
        match Manifest::parse(text) {
            Ok(manifest) if path == "Cargo.toml" => problems.extend(check_root(path, &manifest)),
            Ok(manifest) => problems.extend(check_member(path, &manifest)),
            Err((line, message)) => problems.push(Problem::new(path, line, message)),
        }
    }
    problems
}

/// `data` of `crates/data/`.
fn crate_folder(folder: &str) -> Option<&str> {
    let name = folder.strip_prefix("crates/")?.strip_suffix('/')?;
    (!name.contains('/')).then_some(name)
}

fn check_root(path: &str, manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    for dependency in &manifest.shared {
        let at = |message: String| Problem::new(path, dependency.line, message);
        let name = &dependency.name;
        if dependency.keys.iter().any(|key| key == "git") {
            problems.push(at(format!("{name} comes from git; only released versions are used")));
        }
        let version = dependency.version.as_deref();
        if version.is_none() && !dependency.keys.iter().any(|key| key == "path") {
            problems.push(at(format!("{name} has no version")));
        }
        if version.is_some_and(|version| version.contains('-')) {
            problems.push(at(format!("{name} is a pre-release; only stable versions are used")));
        }
        if name == "burn" {
            problems.extend(backend_features(path, dependency));
        }
    }
    problems
}

fn check_member(path: &str, manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !manifest.inherits_lints {
        problems.push(Problem::new(path, 1, "has no `[lints] workspace = true`"));
    }
    for dependency in &manifest.dependencies {
        if !dependency.inherits {
            let name = &dependency.name;
            let message = format!(
                "{name} is not `workspace = true`; its version belongs in the root Cargo.toml"
            );
            problems.push(Problem::new(path, dependency.line, message));
        }
    }
    let role = match path {
        "xtask/Cargo.toml" => "xtask",
        "tests/Cargo.toml" => "tests",
        _ => match layers::role(&manifest.package) {
            Some(role) => {
                problems.extend(check_place(path, role));
                role
            }
            None => {
                problems.push(Problem::new(path, 1, unknown_crate(&manifest.package)));
                return problems;
            }
        },
    };
    let dependencies = &manifest.dependencies;
    problems.extend(dependencies.iter().filter_map(|dependency| edge(path, role, dependency)));
    if layers::burn(role) != Burn::Backends {
        problems.extend(backends(path, manifest));
    }
    problems
}

fn unknown_crate(package: &str) -> String {
    format!(
        "package {package:?} is not in the picture of the workspace: give it a row in xtask/src/tidy/layers.rs and in \
         docs/ARCHITECTURE.md"
    )
}

/// A crate's folder is its role.
fn check_place(path: &str, role: &str) -> Option<Problem> {
    (path != format!("crates/{role}/Cargo.toml")).then(|| {
        let package = layers::package_name(role);
        Problem::new(path, 1, format!("package {package} belongs in crates/{role}"))
    })
}

/// What is wrong with this dependency as an edge of the picture.
fn edge(path: &str, role: &str, dependency: &Dependency) -> Option<Problem> {
    let package = dependency.package.as_str();
    let ours = layers::role(package);
    if ours.is_none() && !matches!(package, "xtask" | "wuji-tests") {
        return None;
    }
    let allowed = match (role, ours) {
        ("xtask", _) | (_, None) => false,
        ("tests", Some(_)) => true,
        (role, Some(to)) => layers::may_depend(role, to),
    };
    (!allowed).then(|| {
        let message = format!("{role} may not depend on {package}: dependencies point up the picture in docs/ARCHITECTURE.md");
        Problem::new(path, dependency.line, message)
    })
}

/// Backends named by a crate that may not name any.
fn backends(path: &str, manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    for dependency in &manifest.dependencies {
        if is_backend(&dependency.package) {
            let message =
                format!("{} is a backend; only device and kernels name one", dependency.package);
            problems.push(Problem::new(path, dependency.line, message));
        }
        if dependency.package == "burn" {
            problems.extend(backend_features(path, dependency));
        }
    }
    for feature in &manifest.features {
        let burns =
            feature.entry.strip_prefix("burn/").or_else(|| feature.entry.strip_prefix("burn?/"));
        if burns.is_some_and(|name| BACKEND_FEATURES.contains(&name)) {
            let message = format!(
                "{:?} enables a backend; enable wuji-device's feature instead",
                feature.entry
            );
            problems.push(Problem::new(path, feature.line, message));
        }
    }
    problems
}

fn backend_features(path: &str, burn: &Dependency) -> Vec<Problem> {
    let features = burn.features.iter().filter(|name| BACKEND_FEATURES.contains(&name.as_str()));
    features
        .map(|name| {
            Problem::new(
                path,
                burn.line,
                format!("burn's feature {name:?} is a backend; only device enables one"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[lints]\nworkspace = true\n";

    /// The messages for one manifest.
    fn problems(path: &str, text: &str) -> Vec<String> {
        let files = Files::from([(path.to_owned(), text.to_owned())]);
        check(&files).iter().map(ToString::to_string).collect()
    }

    fn member(role: &str, rest: &str) -> Vec<String> {
        let package = layers::package_name(role);
        problems(
            &format!("crates/{role}/Cargo.toml"),
            &format!("{HEAD}[package]\nname = \"{package}\"\n{rest}"),
        )
    }

    #[test]
    fn a_member_that_keeps_the_rules_has_no_problem() {
        let found = member(
            "training",
            "[dependencies]\nwuji-model.workspace = true\nburn.workspace = true\n",
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn an_edge_down_or_sideways_is_refused_in_every_kind_of_dependency() {
        for kind in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            let found = member("model", &format!("[{kind}]\nwuji-training.workspace = true\n"));
            assert_eq!(found.len(), 1, "{kind}: {found:?}");
            assert!(
                found[0].starts_with(
                    "crates/model/Cargo.toml:6: model may not depend on wuji-training"
                )
            );
        }
        assert_eq!(member("legal", "[dependencies]\nwuji-finance.workspace = true\n").len(), 1);
        assert_eq!(member("cli", "[dependencies]\nwuji-tests.workspace = true\n").len(), 1);
    }

    #[test]
    fn xtask_depends_on_no_crate_of_the_workspace_and_tests_may_depend_on_any() {
        let text = |name: &str| {
            format!("{HEAD}[package]\nname = \"{name}\"\n[dependencies]\nwuji.workspace = true\n")
        };
        assert_eq!(problems("xtask/Cargo.toml", &text("xtask")).len(), 1);
        assert!(problems("tests/Cargo.toml", &text("wuji-tests")).is_empty());
    }

    #[test]
    fn a_crate_outside_the_picture_is_asked_to_enter_it() {
        let found = problems(
            "crates/utils/Cargo.toml",
            &format!("{HEAD}[package]\nname = \"wuji-utils\"\n"),
        );
        assert!(found[0].contains("give it a row"), "{found:?}");
        let moved = problems(
            "crates/corpus/Cargo.toml",
            &format!("{HEAD}[package]\nname = \"wuji-data\"\n"),
        );
        assert!(moved[0].contains("belongs in crates/data"), "{moved:?}");
    }

    #[test]
    fn only_device_and_kernels_name_backends() {
        let cases = [
            "[dependencies]\nburn-flex.workspace = true\n",
            "[dependencies]\ncubecl-wgpu.workspace = true\n",
            "[dependencies]\nburn = { workspace = true, features = [\"autodiff\", \"ndarray\"] }\n",
            "[features]\nwgpu = [\"burn/wgpu\"]\n",
            "[dependencies]\nhidden = { workspace = true, package = \"burn-wgpu\" }\n",
        ];
        for text in cases {
            assert_eq!(member("model", text).len(), 1, "{text}");
            assert!(member("device", text).is_empty(), "{text}");
        }
        assert!(member("model", "[features]\nwgpu = [\"wuji-device/wgpu\"]\n").is_empty());
        let root = problems(
            "Cargo.toml",
            "[workspace.dependencies]\nburn = { version = \"1\", features = [\"wgpu\"] }\n",
        );
        assert_eq!(root.len(), 1, "{root:?}");
    }

    #[test]
    fn versions_are_named_once_in_the_root() {
        for entry in
            ["serde = \"1\"", "serde = { version = \"1\" }", "serde = { path = \"../serde\" }"]
        {
            let found = member("data", &format!("[dependencies]\n{entry}\n"));
            assert_eq!(found.len(), 1, "{entry}: {found:?}");
            assert!(found[0].contains("root Cargo.toml"), "{found:?}");
        }
    }

    #[test]
    fn shared_dependencies_are_stable_releases() {
        let bad = ["{ git = \"g\", version = \"1\" }", "\"=1.0.0-alpha.1\"", "{ features = [] }"];
        for entry in bad {
            assert_eq!(
                problems("Cargo.toml", &format!("[workspace.dependencies]\nx = {entry}\n")).len(),
                1,
                "{entry}"
            );
        }
        let good = "[workspace.dependencies]\nx = \"1\"\nwuji = { path = \"crates/wuji\" }\n";
        assert!(problems("Cargo.toml", good).is_empty());
    }

    #[test]
    fn every_member_inherits_the_lints() {
        let found = problems("crates/data/Cargo.toml", "[package]\nname = \"wuji-data\"\n");
        assert_eq!(found, ["crates/data/Cargo.toml:1: has no `[lints] workspace = true`"]);
    }
}
