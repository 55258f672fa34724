//! What uses what in `src/`, file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{
    Attribute, Ident, ImplItemFn, Item, ItemMod, ItemUse, Macro, TraitItemFn, UseTree, Visibility,
};

/// Names from the root of the crate: of a module, of something in one.
type Names = Vec<String>;

/// A file that uses another: their modules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    pub from: Names,
    pub to: Names,
}

impl Arrow {
    /// For people.
    pub fn files(&self) -> String {
        format!("{} → {}", self.from.join("/"), self.to.join("/"))
    }
}

/// What a file declares.
#[derive(Default)]
struct Module {
    /// Items of its own.
    own: BTreeSet<String>,
    /// Names that it takes from elsewhere, and what they are there.
    taken: BTreeMap<String, Names>,
    /// Modules all of whose names it takes.
    globs: Vec<Names>,
    /// Everything that its code names, from the root.
    named: BTreeSet<Names>,
}

/// Every arrow between files of `src/`.
pub fn arrows() -> BTreeSet<Arrow> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    list(&root, &mut files);
    let parsed: BTreeMap<Names, syn::File> = files
        .iter()
        .filter(|path| !path.ends_with("main.rs"))
        .map(|path| (module_of(path.strip_prefix(&root).unwrap()), parse(path)))
        .collect();
    let of_tests: Vec<Names> = parsed.iter().flat_map(tests_of).collect();
    let names: BTreeSet<&Names> = parsed.keys().collect();
    let mut modules = BTreeMap::new();
    for (module, file) in &parsed {
        if !of_tests.iter().any(|tests| module.starts_with(tests)) {
            let mut reader = Reader {
                modules: &names,
                at: module.clone(),
                read: Module::default(),
            };
            reader.visit_file(file);
            modules.insert(module.clone(), reader.read);
        }
    }
    let mut arrows = BTreeSet::new();
    for (from, module) in &modules {
        for named in &module.named {
            if let Some(to) = home(&modules, named, 0).filter(|to| to != from) {
                arrows.insert(Arrow {
                    from: from.clone(),
                    to,
                });
            }
        }
    }
    arrows
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn parse(path: &Path) -> syn::File {
    let text = std::fs::read_to_string(path).unwrap();
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `a/b.rs` and `a/b/mod.rs` are the module a::b, `lib.rs` the root.
fn module_of(path: &Path) -> Names {
    let names = path.with_extension("");
    let mut names: Names = names
        .iter()
        .map(|name| name.to_str().unwrap().into())
        .collect();
    if names
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        names.pop();
    }
    names
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            list.path.is_ident("cfg") && list.tokens.to_string().starts_with("test")
        }
        _ => false,
    })
}

/// The modules that a file declares for tests alone.
fn tests_of((module, file): (&Names, &syn::File)) -> Vec<Names> {
    let of_item = |item: &Item| match item {
        Item::Mod(item) if is_test(&item.attrs) => Some(below(module, &item.ident)),
        _ => None,
    };
    file.items.iter().filter_map(of_item).collect()
}

fn below(module: &[String], name: &Ident) -> Names {
    [module, &[name.to_string()]].concat()
}

/// The file that has what `named` stands for; none where it is no file's, as an external crate's.
fn home(modules: &BTreeMap<Names, Module>, named: &[String], depth: usize) -> Option<Names> {
    assert!(depth < 20, "re-exports of {named:?} go in a circle");
    let length = (0..=named.len())
        .rev()
        .find(|&length| modules.contains_key(&named[..length]))?;
    let (module, rest) = named.split_at(length);
    let Some(name) = rest.first() else {
        return Some(module.to_vec());
    };
    let declared = &modules[module];
    if declared.own.contains(name) {
        return Some(module.to_vec());
    }
    if let Some(taken) = declared.taken.get(name) {
        return home(modules, taken, depth + 1);
    }
    let by_glob = declared.globs.iter().find(|glob| {
        modules
            .get(*glob)
            .is_some_and(|module| module.own.contains(name))
    });
    Some(by_glob.cloned().unwrap_or(module.to_vec()))
}

struct Reader<'a> {
    modules: &'a BTreeSet<&'a Names>,
    /// The module that is read: the file's, or one inside the file.
    at: Names,
    read: Module,
}

impl Reader<'_> {
    /// A path from the root of the crate; none where it begins elsewhere.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        let mut at = self.at.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            name => {
                let beside = [&at[..], &[name.to_string()]].concat();
                if !self.modules.contains(&beside) {
                    return None;
                }
            }
        }
        while rest.first().is_some_and(|name| name == "super") {
            at.pop();
            rest = &rest[1..];
        }
        Some([&at, rest].concat())
    }

    fn name(&mut self, path: &[String]) {
        self.read.named.extend(self.absolute(path));
    }

    /// The names that a tree of `use` brings, each with the path that it is there.
    fn flatten(tree: &UseTree, before: &[String], all: &mut Vec<(Option<String>, Names)>) {
        let with = |name: &Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => Self::flatten(&path.tree, &with(&path.ident), all),
            UseTree::Group(group) => {
                let items = group.items.iter();
                items.for_each(|item| Self::flatten(item, before, all));
            }
            UseTree::Name(name) if name.ident == "self" => {
                all.push((before.last().cloned(), before.to_vec()));
            }
            UseTree::Name(name) => all.push((Some(name.ident.to_string()), with(&name.ident))),
            UseTree::Rename(rename) => {
                all.push((Some(rename.rename.to_string()), with(&rename.ident)));
            }
            UseTree::Glob(_) => all.push((None, before.to_vec())),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = match item {
            Item::Const(item) => (Some(&item.ident), &item.attrs),
            Item::Enum(item) => (Some(&item.ident), &item.attrs),
            Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            Item::Static(item) => (Some(&item.ident), &item.attrs),
            Item::Struct(item) => (Some(&item.ident), &item.attrs),
            Item::Trait(item) => (Some(&item.ident), &item.attrs),
            Item::Type(item) => (Some(&item.ident), &item.attrs),
            Item::Impl(item) => (None, &item.attrs),
            Item::Mod(item) => (None, &item.attrs),
            Item::Use(item) => (None, &item.attrs),
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            self.read.own.extend(name.map(Ident::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_some() {
            self.at.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut all = Vec::new();
        Self::flatten(&item.tree, &[], &mut all);
        let exported = !matches!(item.vis, Visibility::Inherited);
        for (name, path) in all {
            let Some(path) = self.absolute(&path) else {
                continue;
            };
            match name {
                Some(name) => {
                    self.read.taken.insert(name, path.clone());
                }
                None => self.read.globs.push(path.clone()),
            }
            // to re-export what is below it is what a `mod.rs` is for
            if !(exported && path.starts_with(&self.at)) {
                self.read.named.insert(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Names = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if names.len() > 1 {
            self.name(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_trait_item_fn(self, item);
        }
    }

    /// What a macro is given is not read as code: paths in it are found by their `::`.
    fn visit_macro(&mut self, item: &'ast Macro) {
        let is_path = |c: char| c.is_alphanumeric() || "_:$".contains(c);
        let text = item
            .tokens
            .to_string()
            .replace(|c: char| !is_path(c), " ")
            .replace("::", " :: ");
        let words: Vec<&str> = text.split_whitespace().collect();
        for (at, &word) in words.iter().enumerate() {
            let first = at == 0 || words[at - 1] != "::";
            if !first || !["crate", "super", "self"].contains(&word.trim_start_matches('$')) {
                continue;
            }
            let mut names = vec![word.trim_start_matches('$').to_string()];
            let pairs = words[at + 1..].chunks_exact(2);
            names.extend(
                pairs
                    .take_while(|pair| pair[0] == "::")
                    .map(|pair| pair[1].to_string()),
            );
            if names.len() > 1 {
                self.name(&names);
            }
        }
        visit::visit_macro(self, item);
    }
}
