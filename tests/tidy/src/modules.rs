//! A crate as its files use one another: who names what of whom, seen through re-exports.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// Names from the root of a crate to an item: `["partner", "ledger", "CommissionRow"]`.
pub(crate) type ItemPath = Vec<String>;

/// The files of one crate, by module path.
#[derive(Default)]
pub(crate) struct Modules {
    files: BTreeMap<ItemPath, Module>,
}

/// One file.
struct Module {
    /// From the root of the workspace.
    path: String,
    /// Names that this file brings in, and whether it only passes them on (`pub use`).
    bindings: BTreeMap<String, Binding>,
    /// Modules whose every name it passes on.
    globs: Vec<ItemPath>,
    /// Paths that it uses.
    uses: Vec<ItemPath>,
    /// Names that it defines itself.
    defines: BTreeSet<String>,
}

struct Binding {
    target: ItemPath,
    is_re_export: bool,
}

/// That one file uses a name of another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    /// The file that uses it.
    pub(crate) from: String,
    /// The file that defines it.
    pub(crate) to: String,
    /// What is used.
    pub(crate) name: String,
}

impl Modules {
    /// Adds a file; `module` is its path from the crate's root.
    pub(crate) fn add(&mut self, module: ItemPath, path: &str, text: &str) {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut reader = FileReader {
            module: module.clone(),
            children: BTreeSet::new(),
            paths: Vec::new(),
            found: Module {
                path: path.to_owned(),
                bindings: BTreeMap::new(),
                globs: Vec::new(),
                uses: Vec::new(),
                defines: BTreeSet::new(),
            },
        };
        // Names first: a path may begin with one that a later line brings in.
        for item in &file.items {
            reader.note_names(item);
        }
        reader.visit_file(&file);
        let module_of_file = reader.finish();
        self.files.insert(module, module_of_file);
    }

    /// Every arrow between two files.
    pub(crate) fn arrows(&self) -> BTreeSet<Arrow> {
        let mut arrows = BTreeSet::new();
        for (module, file) in &self.files {
            for used in &file.uses {
                let Some(to) = self.definer(used, 0) else {
                    continue;
                };
                if to != *module {
                    arrows.insert(Arrow {
                        from: file.path.clone(),
                        to: self.files[&to].path.clone(),
                        name: used.join("::"),
                    });
                }
            }
        }
        arrows
    }

    /// The module that defines what a path names, through any `pub use` on the way.
    fn definer(&self, path: &[String], depth: usize) -> Option<ItemPath> {
        let at = (0..=path.len()).rev().find(|at| {
            // The root is a file too, but a path that leads nowhere names nothing in it.
            self.files.contains_key(&path[..*at])
        })?;
        let (module, rest) = path.split_at(at);
        let Some(name) = rest.first() else {
            return Some(module.to_vec());
        };
        let file = &self.files[module];
        if file.defines.contains(name) || depth > 8 {
            return Some(module.to_vec());
        }
        if let Some(binding) = file.bindings.get(name) {
            let target = [&binding.target[..], &rest[1..]].concat();
            return self.definer(&target, depth + 1);
        }
        for glob in &file.globs {
            let target = [&glob[..], rest].concat();
            let definer = self.definer(&target, depth + 1);
            if let Some(definer) = definer
                && self.files[&definer].defines.contains(name)
            {
                return Some(definer);
            }
        }
        Some(module.to_vec())
    }
}

struct FileReader {
    module: ItemPath,
    children: BTreeSet<String>,
    /// As written.
    paths: Vec<Vec<String>>,
    found: Module,
}

impl FileReader {
    fn note_names(&mut self, item: &syn::Item) {
        if let syn::Item::Mod(inner) = item
            && !is_for_tests(&inner.attrs)
        {
            self.children.insert(inner.ident.to_string());
        }
        if let Some(name) = defined_name(item) {
            self.found.defines.insert(name.to_string());
        }
    }

    /// From the root of the crate, or nothing if the path leads out of it.
    fn resolve(&self, path: &[String]) -> Option<ItemPath> {
        let first = path.first()?;
        let rest = &path[1..];
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.module[..], rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let base = self.module.len().checked_sub(ups)?;
                Some([&self.module[..base], &path[ups..]].concat())
            }
            _ if self.children.contains(first) => Some([&self.module[..], path].concat()),
            _ => {
                let target = &self.found.bindings.get(first)?.target;
                Some([&target[..], rest].concat())
            }
        }
    }

    fn add_use(&mut self, prefix: &[String], tree: &syn::UseTree, is_re_export: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                let prefix = [prefix, &[path.ident.to_string()]].concat();
                self.add_use(&prefix, &path.tree, is_re_export);
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                self.bind(prefix, &name, &name, is_re_export);
            }
            syn::UseTree::Rename(rename) => {
                let (name, of) = (rename.rename.to_string(), rename.ident.to_string());
                self.bind(prefix, &of, &name, is_re_export);
            }
            syn::UseTree::Glob(_) => {
                let Some(target) = self.resolve(prefix) else {
                    return;
                };
                if is_re_export {
                    self.found.globs.push(target);
                } else {
                    self.found.uses.push(target);
                }
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(prefix, tree, is_re_export);
                }
            }
        }
    }

    fn bind(&mut self, prefix: &[String], of: &str, name: &str, is_re_export: bool) {
        let (path, name) = if of == "self" {
            let own = prefix.last().cloned().unwrap_or_default();
            (
                prefix.to_vec(),
                if name == "self" { own } else { name.to_owned() },
            )
        } else {
            ([prefix, &[of.to_owned()]].concat(), name.to_owned())
        };
        if let Some(target) = self.resolve(&path) {
            if !is_re_export {
                self.found.uses.push(target.clone());
            }
            let binding = Binding {
                target,
                is_re_export,
            };
            self.found.bindings.insert(name, binding);
        }
    }

    fn finish(mut self) -> Module {
        for path in std::mem::take(&mut self.paths) {
            // What is only passed on is used here too if the code below names it.
            let first = path.first().map(String::as_str).unwrap_or_default();
            let bound = self.found.bindings.get(first);
            let passed_on = bound.is_some_and(|binding| binding.is_re_export);
            if (path.len() > 1 || passed_on)
                && let Some(target) = self.resolve(&path)
            {
                self.found.uses.push(target);
            }
        }
        self.found
    }

    /// Paths within a macro's words, which are not parsed.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_path(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end_path(&mut path);
                    colons = 0;
                    self.read_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.end_path(&mut path);
                    colons = 0;
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.paths.push(std::mem::take(path));
        }
    }
}

impl<'ast> Visit<'ast> for FileReader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            let is_re_export = !matches!(item.vis, syn::Visibility::Inherited);
            self.add_use(&[], &item.tree, is_re_export);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|name| name.ident.to_string());
        self.paths.push(names.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.read_tokens(item.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// What an item defines, modules apart.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the language's items are not ours"
)]
fn defined_name(item: &syn::Item) -> Option<&syn::Ident> {
    match item {
        syn::Item::Struct(item) => Some(&item.ident),
        syn::Item::Enum(item) => Some(&item.ident),
        syn::Item::Union(item) => Some(&item.ident),
        syn::Item::Trait(item) => Some(&item.ident),
        syn::Item::Type(item) => Some(&item.ident),
        syn::Item::Fn(item) => Some(&item.sig.ident),
        syn::Item::Const(item) => Some(&item.ident),
        syn::Item::Static(item) => Some(&item.ident),
        _ => None,
    }
}

/// Whether an item is there for tests alone.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    })
}
