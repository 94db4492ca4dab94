//! No file imports a file that imports it back, directly or through others.
//!
//! A Rust module and its child modules are one unit in this rule: a child may use its parent's items,
//! and the parent uses its children. Every other cycle is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};

use super::root;
use super::sources::{files, resolve, script};

/// Who imports whom, by name.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The nodes of each cycle, smallest name first.
fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let reachable = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = graph[from].iter().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next.clone()) {
                open.extend(graph.get(next).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> =
        graph.keys().map(|node| (node, reachable(node))).collect();
    let components: BTreeSet<Vec<String>> = graph
        .keys()
        .filter(|&node| reach[node].contains(node))
        .map(|node| {
            let mutual = |other: &&String| {
                reach[node].contains(*other)
                    && reach.get(other).is_some_and(|set| set.contains(node))
            };
            reach[node].iter().filter(mutual).cloned().collect()
        })
        .collect();
    components.into_iter().collect()
}

/// The modules of a crate: path as in `a::b`, empty for the root, and source text.
type Modules = BTreeMap<String, String>;

fn modules(source: &Path) -> Modules {
    let mut modules = Modules::new();
    for file in files(source, &["rs"]) {
        let relative = file.strip_prefix(source).unwrap().with_extension("");
        let mut parts: Vec<&str> = relative.iter().map(|part| part.to_str().unwrap()).collect();
        // A binary beside a library is another crate, of one file.
        if parts == ["main"] && source.join("lib.rs").exists() {
            continue;
        }
        if matches!(parts.last(), Some(&("lib" | "main" | "mod"))) {
            parts.pop();
        }
        let text = fs::read_to_string(&file).unwrap();
        modules.insert(parts.join("::"), text);
    }
    modules
}

/// Collects the modules that one module names in its paths.
struct Paths<'a> {
    modules: &'a Modules,
    /// Path of the module, inline modules included.
    here: Vec<String>,
    found: BTreeSet<String>,
}

impl Paths<'_> {
    /// Adds the module that a path is in, if it is one of this crate.
    fn add(&mut self, segments: &[String]) {
        let mut at = match segments.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.here.clone(),
            Some(first) => {
                let mut child = self.here.clone();
                child.push(first.to_owned());
                if !self.modules.contains_key(&child.join("::")) {
                    return;
                }
                self.here.clone()
            }
            None => return,
        };
        let mut module = None;
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => {
                    at.pop();
                }
                name => at.push(name.to_owned()),
            }
            let name = at.join("::");
            if self.modules.contains_key(&name) {
                module = Some(name);
            }
        }
        self.found.extend(module);
    }

    fn add_tree(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_tree(&path.tree, prefix);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, prefix);
                }
            }
            syn::UseTree::Name(name) => self.add_leaf(name.ident.to_string(), prefix),
            syn::UseTree::Rename(name) => self.add_leaf(name.ident.to_string(), prefix),
            syn::UseTree::Glob(_) => self.add(prefix),
        }
    }

    fn add_leaf(&mut self, name: String, prefix: &mut Vec<String>) {
        prefix.push(name);
        self.add(prefix);
        prefix.pop();
    }
}

/// Tests may import anything.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|name| name == "test")
    })
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            self.here.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.here.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&segments);
        visit::visit_path(self, path);
    }
}

fn rust_graph(modules: &Modules) -> Graph {
    let within = |inner: &str, outer: &str| {
        outer.is_empty() || inner == outer || inner.starts_with(&format!("{outer}::"))
    };
    let imports = |(name, text): (&String, &String)| {
        let mut paths = Paths {
            modules,
            here: name
                .split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            found: BTreeSet::new(),
        };
        paths.visit_file(&syn::parse_file(text).unwrap());
        let mut found = paths.found;
        found.retain(|other| !within(name, other));
        (name.clone(), found)
    };
    modules.iter().map(imports).collect()
}

/// The modules that a script imports or exports from, as paths from `web`.
fn script_imports(path: &str, text: &str) -> BTreeSet<String> {
    let code = script(text);
    let mut found = BTreeSet::new();
    for word in ["from", "import"] {
        for (start, _) in code.match_indices(word) {
            let rest = code[start + word.len()..].trim_start();
            let Some((address, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'))
            else {
                continue;
            };
            if address.starts_with('.') {
                found.extend(resolve(path, address));
            }
        }
    }
    found
}

#[test]
fn rust_modules_have_no_import_cycle() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let source = entry.unwrap().path().join("src");
        assert_eq!(
            cycles(&rust_graph(&modules(&source))),
            [[""; 0]; 0],
            "{}",
            source.display()
        );
    }
}

#[test]
fn page_modules_have_no_import_cycle() {
    let web = root().join("web");
    let graph: Graph = files(&web.join("src"), &["js"])
        .into_iter()
        .map(|file| {
            let path = file
                .strip_prefix(&web)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let imports = script_imports(&path, &fs::read_to_string(file).unwrap());
            (path, imports)
        })
        .collect();
    assert!(graph.values().any(|imports| !imports.is_empty()));
    assert_eq!(cycles(&graph), [[""; 0]; 0]);
}

#[test]
fn rust_cycle_is_found() {
    let modules = |sources: &[(&str, &str)]| -> Modules {
        sources
            .iter()
            .map(|&(name, text)| (name.to_owned(), text.to_owned()))
            .collect()
    };
    let found = |sources| cycles(&rust_graph(&modules(sources)));
    // By `use`, and by a path in an expression or a type.
    assert_eq!(
        found(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b::B;"),
            ("b", "fn f() { crate::a::g() }")
        ]),
        [["a", "b"]]
    );
    // Through a third, and through `super` and `self`.
    assert_eq!(
        found(&[
            ("", ""),
            ("a", "use super::{b::{self, B}, x};"),
            ("b", "pub(crate) use self::c::C;"),
            ("b::c", "fn f(a: &super::super::a::A) {}"),
        ]),
        [["a", "b", "b::c"]]
    );
    // A child and its parent are one unit, the root is the parent of all, tests do not count.
    assert_eq!(
        found(&[
            ("", "mod a; pub use a::A; mod b;"),
            ("a", "mod c; use c::C;"),
            ("a::c", "use super::A; use crate::Error;"),
            (
                "b",
                "use crate::a::A; #[cfg(test)] mod tests { use super::*; }"
            ),
            ("d", "#[cfg(test)] mod tests { use crate::e::E; }"),
            ("e", "use crate::d::D;"),
        ]),
        [[""; 0]; 0]
    );
}

#[test]
fn page_cycle_is_found() {
    let graph: Graph = [
        ("src/a.js", "import { b } from \"./ui/b.js\";"),
        ("src/ui/b.js", "export * from \"../c.js\";"),
        ("src/c.js", "import \"./a.js\"; // import \"./d.js\""),
        (
            "src/d.js",
            "/** @import { A } from \"./a.js\" */ import { x } from \"y\";",
        ),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), script_imports(path, text)))
    .collect();
    assert_eq!(cycles(&graph), [["src/a.js", "src/c.js", "src/ui/b.js"]]);
}
