//! Arrows among the files of a crate run one way.

use crate::modules::{Arrow, Modules};
use crate::tree::{assert_tidy, exceptions, sources};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    let mut crates: BTreeMap<String, Modules> = BTreeMap::new();
    for file in sources() {
        let Some((root, inside)) = file.path.split_once("/src/") else {
            continue;
        };
        if let Some(module) = module_path(inside) {
            let modules = crates.entry(root.to_owned()).or_default();
            modules.add(module, &file.path, &file.text);
        }
    }
    assert!(crates.len() > 10, "the crates are not where they were");
    let excepted = exceptions("circles");
    let mut needed = BTreeSet::new();
    let mut faults = Vec::new();
    for modules in crates.values() {
        let arrows = modules.arrows();
        for circle in circles(&arrows) {
            let all = |prefix: &str| circle.iter().all(|file| file.starts_with(prefix));
            match excepted.0.iter().find(|(prefix, _)| all(prefix)) {
                Some((prefix, _)) => {
                    needed.insert(prefix.clone());
                }
                None => faults.push(describe(&circle, &arrows)),
            }
        }
    }
    for (prefix, _) in &excepted.0 {
        if !needed.contains(prefix) {
            faults.push(format!(
                "no circle is left in {prefix}: remove its exception"
            ));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn a_circle_is_found_through_facades_aliases_and_macros() {
    let found = |files: &[(&str, &str)]| {
        let mut modules = Modules::default();
        for (path, text) in files {
            modules.add(module_path(path).unwrap(), path, text);
        }
        circles(&modules.arrows())
    };
    let circle = |names: &[&str]| vec![names.iter().map(|name| (*name).to_owned()).collect()];
    let none: Vec<BTreeSet<String>> = Vec::new();
    let lib = ("lib.rs", "mod a; mod b;");
    let a = ("a.rs", "use crate::b::B; pub struct A(B);");
    for b in [
        "use super::a::A; pub struct B(Box<A>);",
        "pub struct B; fn f(_: crate::a::A) {}",
        "pub struct B; fn f() { println!(\"{}\", crate::a::A::name()) }",
        "use crate::a; pub struct B; fn f() -> a::A { a::A }",
    ] {
        assert_eq!(
            found(&[lib, a, ("b.rs", b)]),
            circle(&["a.rs", "b.rs"]),
            "{b}"
        );
    }
    assert_eq!(found(&[lib, a, ("b.rs", "pub struct B;")]), none);
    // A folder that passes on what its files define is no part of a circle; what it defines is.
    let user = ("a/x.rs", "use super::Y; pub struct X(Y);");
    let passing = "mod x; mod y; pub use x::X; pub use y::Y;";
    let y = ("a/y.rs", "pub struct Y;");
    assert_eq!(found(&[("a/mod.rs", passing), user, y]), none);
    // Nor is one that is put together from its parts, unless the way leads round by another.
    let defining = "mod x; pub struct Y; fn f() -> x::X { x::X(Y) }";
    assert_eq!(found(&[("a/mod.rs", defining), user]), none);
    let round = ("a/x.rs", "use crate::b::B; pub struct X(B);");
    let other = ("b.rs", "use crate::a::Y; pub struct B(Y);");
    let led_round = found(&[("a/mod.rs", defining), round, other]);
    assert_eq!(led_round, circle(&["a/mod.rs", "a/x.rs", "b.rs"]));
    let back = ("a/y.rs", "use crate::a::X; pub struct Y(Box<X>);");
    let both = found(&[("a/mod.rs", passing), user, back]);
    assert_eq!(both, circle(&["a/x.rs", "a/y.rs"]));
}

/// From a crate's `src` to a module, of files that are not tests or programs.
fn module_path(inside: &str) -> Option<Vec<String>> {
    let names: Vec<&str> = inside.strip_suffix(".rs")?.split('/').collect();
    if names.contains(&"tests") || names == ["main"] {
        return None;
    }
    let names = match names.split_last() {
        Some((&"mod" | &"lib", folders)) => folders,
        Some(_) | None => &names,
    };
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Sets of files that all need one another. A module may be put together from its own parts, and
/// these may use what it declares: what a module takes from below itself closes no circle alone.
fn circles(arrows: &BTreeSet<Arrow>) -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    for circle in all_circles(arrows) {
        let head = circle.iter().find(|head| {
            let others = circle.iter().filter(|file| file != head);
            let mut others = others.map(|file| file.strip_prefix(folder_of(head)));
            others.all(|below| below.is_some_and(|below| below.starts_with('/')))
        });
        let Some(head) = head else {
            found.push(circle);
            continue;
        };
        let within = |file: &String| circle.contains(file) && file != head;
        let without_head = arrows.iter();
        let without_head = without_head.filter(|arrow| within(&arrow.from) && within(&arrow.to));
        found.extend(circles(&without_head.cloned().collect()));
    }
    found
}

/// The folder that a module's parts lie in.
fn folder_of(file: &str) -> &str {
    let ends = ["/mod.rs", "/lib.rs", ".rs"];
    let folder = ends.into_iter().find_map(|end| file.strip_suffix(end));
    folder.unwrap_or(file)
}

/// Circles as they stand, found by who reaches whom.
fn all_circles(arrows: &BTreeSet<Arrow>) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached = |from: &str| {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut left: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
        while let Some(file) = left.pop() {
            if reached.insert(file) {
                left.extend(next.get(file).into_iter().flatten());
            }
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|from| (*from, reached(from))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, all) in &reached {
        let known = circles.iter().any(|circle| circle.contains(*file));
        if known || !all.contains(file) {
            continue;
        }
        let back = |other: &&&str| reached.get(**other).is_some_and(|all| all.contains(file));
        let circle = all.iter().filter(back);
        circles.push(circle.map(|file| (*file).to_owned()).collect());
    }
    circles
}

fn describe(circle: &BTreeSet<String>, arrows: &BTreeSet<Arrow>) -> String {
    let mut names: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for arrow in arrows {
        if circle.contains(&arrow.from) && circle.contains(&arrow.to) {
            names.insert((&arrow.from, &arrow.to), &arrow.name);
        }
    }
    let lines = names.iter();
    let lines = lines.map(|((from, to), name)| format!("\n    {from} -> {to}: {name}"));
    let lines: String = lines.collect();
    format!("a circle of {} files:{lines}", circle.len())
}
