//! The checklists of CONTRIBUTING.md say what one more provider, letter, fact, … needs, and those
//! that exist have it.

use crate::tree::{assert_tidy, folders, read, root};

const GUIDE: &str = ".github/CONTRIBUTING.md";

#[test]
fn what_exists_has_all_that_its_checklist_asks_for() {
    let guide = read(GUIDE);
    let lists = checklists(&guide);
    let titles: Vec<&str> = lists.iter().map(|list| list.title).collect();
    assert_eq!(
        titles,
        [
            "provider",
            "letter",
            "fact",
            "function",
            "partner row",
            "page"
        ],
        "the checklists of {GUIDE}"
    );
    let mut faults = Vec::new();
    for list in &lists {
        let instances = instances(list.title);
        for item in &list.items {
            faults.extend(faults_of(item, &instances));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn every_kind_of_thing_is_found() {
    for (title, known) in [
        ("provider", "stripe"),
        ("letter", "trial_ending"),
        ("fact", "Subscription"),
        ("function", "journal-fold"),
        ("page", "customers"),
    ] {
        let found = instances(title);
        assert!(found.iter().any(|name| name == known), "{title}: {found:?}");
        assert!(found.len() > 4, "{title}: {found:?}");
    }
}

#[test]
fn an_item_without_its_file_or_its_name_is_a_fault() {
    let names = ["stripe".to_owned(), "nobody".to_owned()];
    let of = |line| faults_of(&item(line).unwrap(), &names);
    let place = "crates/providers/src/<provider>/mod.rs";
    assert_eq!(
        of("- new `crates/providers/src/<provider>/mod.rs`: its value"),
        [format!(
            "{} is not there, as `{place}` asks",
            place.replace("<provider>", "nobody")
        )]
    );
    assert_eq!(
        of("- edit `crates/providers/src/lib.rs`, it names `&<provider>::<PROVIDER>,`: the list"),
        ["crates/providers/src/lib.rs does not name `&nobody::NOBODY,`"]
    );
    assert_eq!(
        of("- edit `crates/gone.rs`: whatever"),
        ["crates/gone.rs is not there, as `crates/gone.rs` asks"]
    );
}

#[test]
fn actions_are_pinned_by_commit() {
    let mut faults = Vec::new();
    for line in read(".github/workflows/ci.yml").lines() {
        let Some((_, used)) = line.split_once("uses: ") else {
            continue;
        };
        let (_, version) = used.split_once('@').unwrap_or_default();
        let commit = version.split(' ').next().unwrap_or_default();
        let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
        if !is_commit || !version.contains(" # v") {
            faults.push(format!(
                "{used}: pin it by its commit, with its version behind it"
            ));
        }
    }
    assert_tidy(&faults);
}

struct Checklist<'a> {
    title: &'a str,
    items: Vec<Item<'a>>,
}

/// A file of a checklist.
struct Item<'a> {
    /// With `<provider>` and the like in it.
    path: &'a str,
    /// What must stand in it for each thing that exists.
    names: Option<&'a str>,
}

fn checklists(guide: &str) -> Vec<Checklist<'_>> {
    let sections = guide.split("\n### One more ").skip(1);
    let lists = sections.map(|section| {
        let section = section.split("\n## ").next().unwrap();
        let (title, lines) = section.split_once('\n').unwrap();
        let items: Vec<Item<'_>> = lines.lines().filter_map(item).collect();
        assert!(
            items.len() > 2,
            "the checklist for one more {title} is not read"
        );
        Checklist { title, items }
    });
    lists.collect()
}

/// ``- new `path`: what`` or ``- edit `path`, it names `words`: what``.
fn item(line: &str) -> Option<Item<'_>> {
    let rest = line.strip_prefix("- ")?;
    let rest = rest.strip_prefix("new `").or(rest.strip_prefix("edit `"));
    let (path, rest) = rest
        .unwrap_or_else(|| panic!("neither new nor edit: {line}"))
        .split_once('`')?;
    let names = rest.strip_prefix(", it names `");
    let names = names.and_then(|rest| rest.split_once("`:"));
    Some(Item {
        path,
        names: names.map(|(names, _)| names),
    })
}

fn faults_of(item: &Item<'_>, instances: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    let languages = ["en", "fr"];
    let of_things = item.path.contains('<') || item.names.is_some();
    let things: &[String] = if of_things {
        instances
    } else {
        &[String::new()]
    };
    for thing in things {
        for language in languages {
            let path = fill(item.path, thing).replace("<language>", language);
            let file = root().join(&path);
            let is_there = match path.ends_with('/') {
                true => file.is_dir(),
                false => file.is_file(),
            };
            if !is_there {
                faults.push(format!("{path} is not there, as `{}` asks", item.path));
                continue;
            }
            let named = item.names.map(|names| fill(names, thing));
            if let Some(named) = named
                && !std::fs::read_to_string(file).unwrap().contains(&named)
            {
                faults.push(format!("{path} does not name `{named}`"));
            }
        }
    }
    faults.dedup();
    faults
}

/// `<provider>` is the name, `<PROVIDER>` in capitals, `<Letter>` as a type has it.
fn fill(template: &str, name: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    let as_type: String = words.collect();
    let mut filled = template.replace("<PROVIDER>", &name.to_uppercase());
    filled = filled.replace("<Letter>", &as_type).replace("<Fact>", name);
    for slot in ["<provider>", "<letter>", "<function>", "<page>"] {
        filled = filled.replace(slot, name);
    }
    filled
}

/// What there is of a kind.
fn instances(title: &str) -> Vec<String> {
    match title {
        "provider" => {
            let list = read("crates/providers/src/lib.rs");
            let values = list.lines().filter_map(|line| line.strip_prefix("    &"));
            let values = values.filter_map(|line| line.split_once("::"));
            values.map(|(module, _)| module.to_owned()).collect()
        }
        "letter" => folders("functions/engagement-email/letters"),
        "fact" => variants("crates/domain/src/event.rs", "Fact"),
        "function" => folders("functions"),
        "page" => {
            let files = std::fs::read_dir(root().join("crates/pages/templates")).unwrap();
            let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
            names
                .filter_map(|name| name.strip_suffix(".html").map(str::to_owned))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn variants(path: &str, name: &str) -> Vec<String> {
    let file = syn::parse_file(&read(path)).unwrap();
    let found = file.items.iter().find_map(|item| {
        if let syn::Item::Enum(found) = item
            && found.ident == name
        {
            return Some(found);
        }
        None
    });
    let found = found.unwrap_or_else(|| panic!("no enum {name} in {path}"));
    let names = found.variants.iter();
    names.map(|variant| variant.ident.to_string()).collect()
}
