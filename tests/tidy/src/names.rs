//! One word per thing: names that two things may not share, and words that are not used any more.

use crate::modules::is_for_tests;
use crate::tree::{assert_tidy, exceptions, read, sources};
use proc_macro2::TokenTree;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use syn::visit::{self, Visit};

/// Where a provider's own wire structs are: they are named as that provider names things.
const PROVIDERS: &str = "crates/providers/src/";

#[test]
fn no_two_public_types_have_one_name() {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in names() {
        if name.kind == Kind::Type && name.is_public && !is_in_a_providers_folder(&name.path) {
            let places = places.entry(&name.text).or_default();
            places.insert(&name.path);
        }
    }
    assert!(places.len() > 200, "the types are not where they were");
    let excepted = exceptions("one_name");
    let mut faults = Vec::new();
    for (name, places) in &places {
        let is_excepted = excepted.0.iter().any(|(excepted, _)| excepted == name);
        if places.len() > 1 && !is_excepted {
            let places: Vec<&str> = places.iter().copied().collect();
            faults.push(format!("{name} is {}", places.join(" and ")));
        }
    }
    for (name, _) in &excepted.0 {
        if places
            .get(name.as_str())
            .is_none_or(|places| places.len() < 2)
        {
            faults.push(format!("{name} is one type: remove its exception"));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_name_that_the_glossary_retired_comes_back() {
    let retired = retired();
    assert!(retired.len() > 80, "the glossary's table is not read");
    let excepted = exceptions("retired");
    let mut needed = BTreeSet::new();
    let mut faults = Vec::new();
    for name in names() {
        for (word, now) in retired.iter().filter(|(word, _)| word.is(name)) {
            let excused = excepted
                .0
                .iter()
                .find(|(path, _)| name.path.starts_with(path));
            match excused {
                Some((path, _)) => {
                    needed.insert(path.clone());
                }
                None => faults.push(format!(
                    "{}:{}: {} `{}`: the glossary has {now} for `{}`",
                    name.path,
                    name.line,
                    name.kind.word(),
                    name.text,
                    word.text
                )),
            }
        }
    }
    for (path, _) in &excepted.0 {
        if !needed.contains(path) {
            faults.push(format!(
                "no retired name is left in {path}: remove its exception"
            ));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn the_glossary_names_types_that_there_are() {
    let types = names().iter().filter(|name| name.kind == Kind::Type);
    let types: BTreeSet<&str> = types.map(|name| name.text.as_str()).collect();
    let mut faults = Vec::new();
    for (number, line) in read("crates/GLOSSARY.md").lines().enumerate() {
        let cells: Vec<&str> = line.split('|').collect();
        let Some(meaning) = cells.len().checked_sub(2).and_then(|at| cells.get(at)) else {
            continue;
        };
        for word in meaning.split('`').skip(1).step_by(2) {
            let is_type = word.starts_with(|first: char| first.is_ascii_uppercase());
            if is_type && !types.contains(word) {
                faults.push(format!("crates/GLOSSARY.md:{}: no type {word}", number + 1));
            }
        }
    }
    assert_tidy(&faults);
}

/// A name that somebody chose.
struct Name {
    kind: Kind,
    text: String,
    /// `pub` without any bound.
    is_public: bool,
    path: String,
    line: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Function,
    /// Of a file, a folder or a module within a file.
    Module,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Type => "type",
            Kind::Function => "function",
            Kind::Module => "module",
        }
    }
}

/// A row of the glossary's table.
struct RetiredWord {
    text: String,
    reach: Reach,
}

enum Reach {
    /// The whole name of a thing of this kind, of functions and types only where public.
    Whole(Kind),
    /// Any part of a name of any kind: `door` in `doors_of` and in `DoorKind`.
    Part,
}

impl RetiredWord {
    fn is(&self, name: &Name) -> bool {
        match self.reach {
            Reach::Whole(kind) => {
                let seen = name.is_public || kind == Kind::Module;
                name.kind == kind && seen && name.text == self.text && !self.is_wire(name)
            }
            Reach::Part => {
                let seen = name.is_public || name.kind != Kind::Function;
                seen && parts(&name.text).contains(&self.text) && !self.is_wire(name)
            }
        }
    }

    fn is_wire(&self, name: &Name) -> bool {
        name.kind == Kind::Type && is_in_a_providers_folder(&name.path)
    }
}

/// The rows `| old | type, module, function or word | new |` of the glossary.
fn retired() -> Vec<(RetiredWord, String)> {
    let glossary = read("crates/GLOSSARY.md");
    let (_, table) = glossary
        .split_once("\n## Retired")
        .expect("a part about retired words");
    let mut retired = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, old, kind, now, _] = cells[..] else {
            panic!("three columns are wanted: {row}");
        };
        let reach = match kind {
            "type" => Reach::Whole(Kind::Type),
            "module" => Reach::Whole(Kind::Module),
            "function" => Reach::Whole(Kind::Function),
            "word" => Reach::Part,
            _ => panic!("`{kind}` is none of type, module, function, word: {row}"),
        };
        for text in old.split(", ") {
            let text = text.trim_matches('`').to_owned();
            let word = RetiredWord {
                text,
                reach: match &reach {
                    Reach::Whole(kind) => Reach::Whole(*kind),
                    Reach::Part => Reach::Part,
                },
            };
            retired.push((word, now.to_owned()));
        }
    }
    retired
}

/// `DoorKind` and `door_kind` are `door` and `kind`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter == '-' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if letter != '_' && letter != '-' {
            let last = parts.last_mut().unwrap();
            last.extend(letter.to_lowercase());
        }
    }
    parts
}

fn is_in_a_providers_folder(path: &str) -> bool {
    path.strip_prefix(PROVIDERS)
        .and_then(|path| path.split_once('/'))
        .is_some_and(|(folder, _)| !["diagnose", "partner", "tests"].contains(&folder))
}

/// Every name in the house that is not of one test alone, read once.
fn names() -> &'static [Name] {
    static NAMES: LazyLock<Vec<Name>> = LazyLock::new(read_names);
    &NAMES
}

fn read_names() -> Vec<Name> {
    let mut all = Vec::new();
    for file in sources() {
        let mut reader = NameReader {
            path: file.path.clone(),
            names: Vec::new(),
        };
        let parsed = syn::parse_file(&file.text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.path));
        reader.visit_file(&parsed);
        for part in file.path.split('/') {
            reader.note(Kind::Module, part.trim_end_matches(".rs"), true, 1);
        }
        all.extend(reader.names);
    }
    all
}

struct NameReader {
    path: String,
    names: Vec<Name>,
}

impl NameReader {
    fn note(&mut self, kind: Kind, text: &str, is_public: bool, line: usize) {
        self.names.push(Name {
            kind,
            text: text.to_owned(),
            is_public,
            path: self.path.clone(),
            line,
        });
    }

    fn note_item(&mut self, kind: Kind, ident: &syn::Ident, visibility: &syn::Visibility) {
        let is_public = matches!(visibility, syn::Visibility::Public(_));
        let line = ident.span().start().line;
        self.note(kind, &ident.to_string(), is_public, line);
    }
}

impl<'ast> Visit<'ast> for NameReader {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.note_item(Kind::Type, &item.ident, &item.vis);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.note_item(Kind::Type, &item.ident, &item.vis);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.note_item(Kind::Type, &item.ident, &item.vis);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.note_item(Kind::Type, &item.ident, &item.vis);
    }

    /// What a macro of ours is given to make a type of: `text_id! { CustomerKey }`.
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        for token in item.mac.tokens.clone() {
            if let TokenTree::Ident(name) = token {
                let (text, line) = (name.to_string(), name.span().start().line);
                if text.starts_with(|first: char| first.is_ascii_uppercase()) {
                    self.note(Kind::Type, &text, true, line);
                }
            }
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.note_item(Kind::Function, &item.sig.ident, &item.vis);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note_item(Kind::Function, &item.sig.ident, &item.vis);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}
