//! Rules of the report's modules. `captcha-lens audit` puts them into one script, without their imports.

use std::fs;

use super::root;
use super::sources::{resolve, script, sources, words_in};

/// Constructs that a script inside an HTML file cannot contain.
fn dependencies(text: &str) -> Vec<&'static str> {
    let code = script(text);
    let mut found = words_in(&code, &["import", "require"]);
    let words: Vec<_> = code.split_whitespace().collect();
    // `export { a } from "./a.js"`, `export * from "./a.js"`
    if words
        .windows(2)
        .any(|pair| pair[0] == "export" && pair[1].starts_with(['{', '*']))
    {
        found.push("export");
    }
    // Comments count: the HTML parser does not know them.
    for end in ["</script", "<script", "<!--"] {
        if text.to_lowercase().contains(end) {
            found.push(end);
        }
    }
    found
}

/// The import statements of a module, and its text without them.
fn split_imports(module: &str) -> (Vec<String>, String) {
    let (mut imports, mut rest) = (Vec::<String>::new(), String::new());
    let mut importing = false;
    for line in module.lines() {
        if line.starts_with("import ") {
            importing = true;
            imports.push(String::new());
        }
        let part = imports.last_mut().filter(|_| importing);
        let part = part.unwrap_or(&mut rest);
        part.push_str(line);
        part.push('\n');
        importing &= !line.ends_with(';');
    }
    (imports, rest)
}

/// The path that a module at `path` imports. `None` if the statement renames a name or imports
/// anything but names: then it cannot be removed from a script that contains both modules.
fn imported(path: &str, import: &str) -> Option<String> {
    let names = import.strip_prefix("import {")?;
    let (names, from) = names.split_once("} from \"")?;
    let plain = |name: &str| {
        name.trim()
            .chars()
            .all(|character| character.is_alphanumeric())
    };
    if !names.split(',').all(plain) {
        return None;
    }
    resolve(path, from.strip_suffix("\";\n")?)
}

#[test]
fn report_modules_stand_alone() {
    let page = root().join("crates/evaluation/src/audit/page.rs");
    let page = fs::read_to_string(page).unwrap();
    let modules: Vec<_> = page
        .split("include_str!(\"../../../../web/")
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| path.ends_with(".js"))
        .collect();
    assert!(modules.contains(&"src/ui/report/report.js"), "{modules:?}");
    for (i, (_, text)) in sources(&[], &[], &modules).into_iter().enumerate() {
        let (imports, rest) = split_imports(&text);
        for import in imports {
            let module = imported(modules[i], &import);
            let before = module.is_some_and(|module| modules[..i].contains(&&*module));
            assert!(before, "{}: {import}", modules[i]);
        }
        assert_eq!(dependencies(&rest), [""; 0], "{}", modules[i]);
    }
}

#[test]
fn report_module_imports_are_found() {
    let module = "// A\nimport { a } from \"./a.js\";\nimport {\n  b,\n  c,\n} from \"../c/b.js\";\n\nexport const x = a(b, c);\n";
    let (imports, rest) = split_imports(module);
    assert_eq!(rest, "// A\n\nexport const x = a(b, c);\n");
    let found = imports.iter().map(|import| imported("src/ui/x.js", import));
    let expected = ["src/ui/a.js", "src/c/b.js"].map(|path| Some(path.to_owned()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    for bad in [
        "import { a as b } from \"./a.js\";\n",
        "import * as a from \"./a.js\";\n",
        "import a from \"./a.js\";\n",
        "import \"./a.js\";\n",
        "import { a } from './a.js';\n",
        "import { a } from \"./a.js\"; more();\n",
    ] {
        assert_eq!(imported("src/x.js", bad), None, "{bad}");
    }
}

#[test]
fn report_module_dependency_is_found() {
    for bad in [
        "import { a } from \"./a.js\";",
        "  import './a.js';",
        "const { a } = await import(`./a.js`);",
        "export { a } from './a.js';",
        "export * from\"./a.js\";",
        "import.meta.url",
        "const a = require(\"a\");",
        "// </SCRIPT>",
        "\"<!--\"",
    ] {
        assert_ne!(dependencies(bad), [""; 0], "{bad}");
    }
    for good in [
        "/** @import { A } from \"./a.js\" */",
        "export const words = \"where from\" + `from`;",
        "// import { a } from \"./a.js\"\nexport const important = Array.from(\"ab\");",
    ] {
        assert_eq!(dependencies(good), [""; 0], "{good}");
    }
}
