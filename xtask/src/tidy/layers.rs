//! The picture of the workspace: which crates there are, in which order, and which may hold tensors.
//!
//! The picture is the one in `docs/ARCHITECTURE.md`. Invariant: a crate depends only on crates of earlier rows.

/// What a crate may know of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burn {
    /// No burn crate anywhere in its dependency tree.
    None,
    /// burn's tensors, without naming a backend.
    Tensors,
    /// burn's tensors and its backends by name.
    Backends,
}

/// One row of the picture, in the order in which crates may build on one another.
struct Row {
    roles: &'static [&'static str],
    burn: Burn,
}

const PICTURE: [Row; 17] = [
    row(&["protocol"], Burn::None),
    row(&["tokenizer"], Burn::None),
    row(&["device"], Burn::Backends),
    row(&["kernels"], Burn::Backends),
    row(&["data"], Burn::None),
    row(&["classical"], Burn::None),
    row(&["model"], Burn::Tensors),
    row(&["training"], Burn::Tensors),
    row(&["inference"], Burn::Tensors),
    row(&["finetuning"], Burn::Tensors),
    row(&["evaluation"], Burn::None),
    row(&["domain"], Burn::None),
    row(&["legal", "finance", "medical"], Burn::None),
    row(&["server"], Burn::None),
    row(&["wuji"], Burn::Tensors),
    row(&["cli"], Burn::Tensors),
    row(&["pipelines"], Burn::Tensors),
];

/// The crates that are programs; all the others are libraries.
const PROGRAMS: [&str; 2] = ["cli", "pipelines"];

const fn row(roles: &'static [&'static str], burn: Burn) -> Row {
    Row { roles, burn }
}

/// The role of a package: its name without `wuji-`, if the picture has it.
pub fn role(package: &str) -> Option<&'static str> {
    let role = package.strip_prefix("wuji-").unwrap_or(package);
    let known = PICTURE.iter().flat_map(|row| row.roles).find(|name| **name == role)?;
    (package == package_name(known)).then_some(known)
}

/// The package name of a role.
pub fn package_name(role: &str) -> String {
    if role == "wuji" { role.to_owned() } else { format!("wuji-{role}") }
}

/// Whether the crate of role `from` may depend on the crate of role `to`: only on earlier rows.
pub fn may_depend(from: &str, to: &str) -> bool {
    matches!((position(from), position(to)), (Some(from), Some(to)) if to < from)
}

/// What the crate of this role may know of burn. Programs and tests outside the picture may hold tensors.
pub fn burn(role: &str) -> Burn {
    position(role).map_or(Burn::Tensors, |position| PICTURE[position].burn)
}

/// Whether the crate of this role is a library, which never prints or reads the environment.
pub fn is_library(role: &str) -> bool {
    !PROGRAMS.contains(&role)
}

fn position(role: &str) -> Option<usize> {
    PICTURE.iter().position(|row| row.roles.contains(&role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_point_up_the_picture_and_never_sideways() {
        assert!(may_depend("training", "model"));
        assert!(may_depend("cli", "wuji"));
        assert!(may_depend("legal", "domain"));
        assert!(!may_depend("model", "training"));
        assert!(!may_depend("protocol", "protocol"));
        assert!(!may_depend("legal", "finance"));
    }

    #[test]
    fn packages_are_named_after_their_role() {
        assert_eq!(role("wuji-data"), Some("data"));
        assert_eq!(role("wuji"), Some("wuji"));
        assert_eq!(role("data"), None);
        assert_eq!(role("wuji-wuji"), None);
        assert_eq!(role("wuji-utils"), None);
    }

    #[test]
    fn only_device_and_kernels_may_name_backends() {
        let with_backends: Vec<_> = PICTURE
            .iter()
            .filter(|row| row.burn == Burn::Backends)
            .flat_map(|row| row.roles)
            .collect();
        assert_eq!(with_backends, [&"device", &"kernels"]);
        assert_eq!(burn("evaluation"), Burn::None);
        assert_eq!(burn("tests"), Burn::Tensors);
    }
}
