//! Rule on the resolved dependency graph: crates marked "no burn" have none in their tree, and nothing comes from git.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Context;
use serde::Deserialize;

use super::layers::{self, Burn};
use super::manifests::is_backend;
use super::problem::Problem;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `dev`, `build`, or nothing for a normal dependency.
    kind: Option<String>,
}

/// Checks the answer of `cargo metadata`.
pub fn check(metadata: &str) -> anyhow::Result<Vec<Problem>> {
    let metadata: Metadata =
        serde_json::from_str(metadata).context("cargo metadata could not be read")?;
    let names: BTreeMap<&str, &str> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package.name.as_str()))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), normal_dependencies(node)))
        .collect();
    let mut problems = from_git(&metadata.packages);
    for package in &metadata.packages {
        let Some(role) =
            layers::role(&package.name).filter(|role| layers::burn(role) == Burn::None)
        else {
            continue;
        };
        if let Some(chain) = chain_to_burn(&package.id, &edges, &names) {
            let message = format!("{role} must stay free of burn, but {}", chain.join(" needs "));
            problems.push(Problem::new(&format!("crates/{role}/Cargo.toml"), 1, message));
        }
    }
    Ok(problems)
}

fn normal_dependencies(node: &Node) -> Vec<&str> {
    let normal =
        node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
    normal.map(|edge| edge.pkg.as_str()).collect()
}

/// The shortest chain of packages from `start` to a burn crate.
fn chain_to_burn<'a>(
    start: &'a str,
    edges: &BTreeMap<&'a str, Vec<&'a str>>,
    names: &BTreeMap<&'a str, &'a str>,
) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([start]);
    let mut queue = VecDeque::from([vec![start]]);
    while let Some(chain) = queue.pop_front() {
        let last = *chain.last()?;
        let name = names.get(last).copied().unwrap_or_default();
        if name == "burn" || name.starts_with("burn-") || is_backend(name) {
            return Some(chain.iter().filter_map(|id| names.get(id).copied()).collect());
        }
        for next in edges.get(last).into_iter().flatten().filter(|next| seen.insert(next)) {
            let mut longer = chain.clone();
            longer.push(next);
            queue.push_back(longer);
        }
    }
    None
}

fn from_git(packages: &[Package]) -> Vec<Problem> {
    let from_git = packages.iter().filter(|package| {
        let source = package.source.as_deref();
        source.is_some_and(|source| source.starts_with("git+"))
    });
    from_git
        .map(|package| {
            let message = format!(
                "{} {} comes from git; only released versions are used",
                package.name, package.version
            );
            Problem::new("Cargo.lock", 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metadata of packages (`name`, or `name@git`) and edges (`from to kind`).
    fn problems(packages: &[&str], edges: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let package = |name: &&str| {
            let (name, source) =
                name.split_once('@').map_or((*name, None), |(name, _)| (name, Some("git+x")));
            serde_json::json!({"id": name, "name": name, "version": "1.0.0", "source": source})
        };
        let node = |name: &&str| {
            let name = name.split('@').next();
            let deps: Vec<_> = edges
                .iter()
                .filter(|edge| Some(edge.0) == name)
                .map(|(_, to, kind)| serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind}]}))
                .collect();
            serde_json::json!({"id": name, "deps": deps})
        };
        let metadata = serde_json::json!({
            "packages": packages.iter().map(package).collect::<Vec<_>>(),
            "resolve": {"nodes": packages.iter().map(node).collect::<Vec<_>>()},
        });
        let found = check(&metadata.to_string()).expect("valid metadata");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_burn_crate_deep_in_the_tree_of_a_burnless_crate_is_found_with_the_chain() {
        let found = problems(
            &["wuji-data", "helper", "burn-core"],
            &[("wuji-data", "helper", None), ("helper", "burn-core", None)],
        );
        assert_eq!(
            found,
            [
                "crates/data/Cargo.toml:1: data must stay free of burn, but wuji-data needs helper needs burn-core"
            ]
        );
    }

    #[test]
    fn a_crate_with_tensors_and_a_dev_dependency_may_have_burn() {
        assert!(problems(&["wuji-model", "burn"], &[("wuji-model", "burn", None)]).is_empty());
        assert!(problems(&["wuji-data", "burn"], &[("wuji-data", "burn", Some("dev"))]).is_empty());
    }

    #[test]
    fn cycles_through_dev_dependencies_do_not_hang_the_search() {
        let edges = [("wuji-data", "helper", None), ("helper", "wuji-data", None)];
        assert!(problems(&["wuji-data", "helper"], &edges).is_empty());
    }

    #[test]
    fn packages_from_git_are_refused() {
        assert_eq!(problems(&["forked@git"], &[]).len(), 1);
    }
}
