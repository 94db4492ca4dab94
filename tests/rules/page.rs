//! Rules of the page's sources. The policy that browsers enforce is the real guard: these find what
//! it would stop, and what it would let pass, before a browser runs it.

use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// Every file below a folder with one of these endings.
pub(super) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings.contains(&ending) {
            found.push(path);
        }
    }
    found
}

/// Text of every file of these endings below a folder of the page, and of the files named.
pub(super) fn sources(folders: &[&str], endings: &[&str], more: &[&str]) -> Vec<(PathBuf, String)> {
    let web = root().join("web");
    let mut paths: Vec<_> = more.iter().map(|name| web.join(name)).collect();
    for folder in folders {
        paths.extend(files(&web.join(folder), endings));
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// JavaScript without its comments.
pub(super) fn script(text: &str) -> String {
    without_comments(text, true)
}

/// What a file of this ending says, without comments.
fn code(ending: &str, text: &str) -> String {
    match ending {
        "html" => text.to_owned(),
        _ => without_comments(text, ending == "js"),
    }
}

/// JavaScript or CSS, which knows no comments that end with their line, without comments.
fn without_comments(text: &str, of_a_line: bool) -> String {
    let mut code = String::new();
    let mut rest = text;
    let mut quote = None;
    while let Some(character) = rest.chars().next() {
        let length = match quote {
            _ if character == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            // A string ends at its quote; all but a template at the end of a line, too.
            Some(end) => {
                if character == end || (character == '\n' && end != '`') {
                    quote = None;
                }
                character.len_utf8()
            }
            None if of_a_line && rest.starts_with("//") => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            None if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
                continue;
            }
            None => {
                if matches!(character, '"' | '\'' | '`') {
                    quote = Some(character);
                }
                character.len_utf8()
            }
        };
        code.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    code
}

/// Whether a name stands in the code as a whole word.
fn has_word(code: &str, word: &str) -> bool {
    code.split(|character: char| {
        !character.is_alphanumeric() && character != '_' && character != '$'
    })
    .any(|found| found == word)
}

/// The words among these that stand in the code.
pub(super) fn words_in<'a>(code: &str, words: &[&'a str]) -> Vec<&'a str> {
    words
        .iter()
        .copied()
        .filter(|word| has_word(code, word))
        .collect()
}

/// What belongs to the view alone.
const VIEW_ONLY: [&str; 2] = ["document", "window"];

/// Ways to run words as code or markup, which an image's name or a link could then contain.
const INJECTION: [&str; 7] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "srcdoc",
    "eval",
    "Function",
];

#[test]
fn only_the_view_touches_the_document() {
    let view = root().join("web/src/ui");
    for (path, text) in sources(&["src"], &["js"], &[]) {
        let code = script(&text);
        if !path.starts_with(&view) {
            assert_eq!(words_in(&code, &VIEW_ONLY), [""; 0], "{}", path.display());
        }
        assert_eq!(words_in(&code, &INJECTION), [""; 0], "{}", path.display());
    }
}

#[test]
fn a_touch_of_the_document_is_found() {
    for bad in [
        "document.title = word;",
        "globalThis.document.body",
        "const { body } = document;",
        "window.top",
        "self[`x`]; // \n document",
    ] {
        assert_ne!(words_in(&script(bad), &VIEW_ONLY), [""; 0], "{bad}");
    }
    for good in [
        "// the document",
        "/* document.body */",
        "ownerDocument",
        "a_document",
    ] {
        assert_eq!(words_in(&script(good), &VIEW_ONLY), [""; 0], "{good}");
    }
    for bad in [
        "a.innerHTML = b",
        "a[\"outerHTML\"] = b",
        "new Function(b)",
        "eval(b)",
    ] {
        assert_ne!(words_in(&script(bad), &INJECTION), [""; 0], "{bad}");
    }
}

/// Names that are no address to ask.
const NAMESPACES: [&str; 2] = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"];

/// Ways to send something that the page has no use for: it fetches its own files.
const SENDERS: [&str; 9] = [
    "XMLHttpRequest",
    "WebSocket",
    "WebSocketStream",
    "WebTransport",
    "EventSource",
    "RTCPeerConnection",
    "sendBeacon",
    "fetchLater",
    "importScripts",
];

/// Whether an address is one that a person may follow, which tells the other site nothing.
fn is_link(markup: &str, address: usize) -> bool {
    let Some((_, tag)) = markup[..address].rsplit_once('<') else {
        return false;
    };
    let rest = markup[address..].split('>').next().unwrap_or_default();
    tag.starts_with("a")
        && tag[1..].starts_with(char::is_whitespace)
        && tag.ends_with("href=\"")
        && rest.contains("rel=\"noreferrer\"")
}

/// Addresses of other origins, and ways to send, in code, styles or markup without comments.
fn ways_out(code: &str) -> Vec<String> {
    let mut found: Vec<_> = words_in(code, &SENDERS)
        .iter()
        .map(ToString::to_string)
        .collect();
    let lower = code.to_lowercase();
    for (at, _) in lower.match_indices("//") {
        let (before, after) = (&lower[..at], &lower[at + 2..]);
        let is_host = after.starts_with(|first: char| {
            first.is_alphanumeric() || matches!(first, '[' | '$' | '\\')
        });
        let scheme = ["http:", "https:", "ws:", "wss:", "ftp:"]
            .into_iter()
            .find(|scheme| before.ends_with(scheme));
        // `"//host"`, `url(//host)`, `src=//host`: with the page's own scheme.
        let relative = before.ends_with(['"', '\'', '`', '(', '=']);
        let start = at - scheme.map_or(0, str::len);
        let is_name = NAMESPACES.iter().any(|name| {
            lower[start..]
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['"', '\'', '`']))
        });
        if (scheme.is_some() || relative && is_host) && !is_name && !is_link(&lower, start) {
            found.push(lower[start..].chars().take(40).collect());
        }
    }
    found
}

#[test]
fn the_page_names_no_other_origin() {
    let more = ["sw.js", "index.html", "audit.html"];
    for (path, text) in sources(&["src", "styles"], &["js", "css"], &more) {
        let ending = path.extension().unwrap().to_str().unwrap();
        // The service worker reads the list of its own files so.
        let code = code(ending, &text).replace("scope.importScripts(\"pkg/offline.js\")", "");
        assert_eq!(ways_out(&code), [""; 0], "{}", path.display());
    }
}

#[test]
fn a_way_out_is_found() {
    for bad in [
        "fetch('http://a.example')",
        "fetch(`https://${host}/`)",
        "const address = \"HTTPS://a.example\"; fetch(address);",
        "import \"https://a.example/a.js\";",
        "new WebSocket(url)",
        "navigator.sendBeacon(url, image)",
        "new EventSource(url)",
        "new XMLHttpRequest()",
        "new WebTransport(url)",
        "self.importScripts(url)",
        "new RTCPeerConnection()",
        "fetch(\"//a.example/\")",
        "xmlns=\"http://www.w3.org/2000/svg.example.org\"",
    ] {
        assert_ne!(ways_out(&script(bad)), [""; 0], "{bad}");
    }
    for bad in [
        ".a { background: url(//a.example/a.png) }",
        ".a { background: url(\"http://a.example/a.png\") }",
    ] {
        assert_ne!(ways_out(&code("css", bad)), [""; 0], "{bad}");
    }
    for bad in [
        "<img src=\"//a.example/a.png\">",
        "<script src=//a.example/a.js></script>",
        "<link rel=\"noreferrer\" href=\"https://a.example\">",
        "<a ping=\"https://a.example\" rel=\"noreferrer\">",
        "<a href=\"https://a.example\">",
    ] {
        assert_ne!(ways_out(&code("html", bad)), [""; 0], "{bad}");
    }
    let link = "<a\n  href=\"https://a.example\" rel=\"noreferrer\">";
    assert_eq!(ways_out(link), [""; 0]);
    let style = "/* https://a.example */ .a { color: red }";
    assert_eq!(ways_out(&code("css", style)), [""; 0]);
    for good in [
        "fetch(new URL(\"a.json\", import.meta.url))",
        "// see https://a.example\nfetch(own)",
        "`<svg xmlns=\"http://www.w3.org/2000/svg\">`",
        "const half = width // of the picture\n / 2;",
        "path.split(\"//\")",
    ] {
        assert_eq!(ways_out(&script(good)), [""; 0], "{good}");
    }
}

/// What a policy lets pass that the page has no use for.
fn holes(policy: &str) -> Vec<String> {
    let directives: Vec<(&str, Vec<&str>)> = policy
        .split(';')
        .filter_map(|directive| {
            let mut words = directive.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect();
    let allowed = |name: &str| -> &[&str] {
        match name {
            "default-src" | "connect-src" | "worker-src" | "style-src" | "font-src"
            | "manifest-src" => &["'self'"],
            "script-src" => &["'self'", "'wasm-unsafe-eval'"],
            "img-src" => &["'self'", "blob:", "data:"],
            _ => &["'none'"],
        }
    };
    let mut holes = Vec::new();
    for (name, sources) in &directives {
        let wide = sources
            .iter()
            .filter(|source| !allowed(name).contains(source));
        holes.extend(wide.map(|source| format!("{name} {source}")));
    }
    // The first is what holds for all that is not named; the others do not fall back on it.
    for name in ["default-src", "object-src", "base-uri", "form-action"] {
        if !directives.iter().any(|(found, _)| *found == name) {
            holes.push(format!("no {name}"));
        }
    }
    holes
}

/// The policy in a page's `<meta>`.
fn policy_of(page: &str) -> Option<&str> {
    let tag = page
        .split('<')
        .find(|tag| tag.starts_with("meta") && tag.contains("\"Content-Security-Policy\""))?;
    tag.split("content=\"").nth(1)?.split('"').next()
}

#[test]
fn the_policy_is_the_same_in_pages_and_headers_and_lets_nothing_out() {
    let files = sources(&[], &[], &["index.html", "audit.html", "_headers"]);
    let texts: Vec<_> = files.into_iter().map(|(_, text)| text).collect();
    let header = texts[2]
        .lines()
        .find_map(|line| line.trim().strip_prefix("Content-Security-Policy: "))
        .unwrap();
    assert_eq!(holes(header), [""; 0]);
    // A page's own tag cannot say who frames it.
    let (in_pages, framing) = header.rsplit_once("; ").unwrap();
    assert_eq!(framing, "frame-ancestors 'none'");
    for page in &texts[..2] {
        assert_eq!(policy_of(page), Some(in_pages));
        // What stands before the tag is not bound by it.
        let before = page.split("http-equiv").next().unwrap();
        assert!(!before.contains("<script") && !before.contains("<link"));
    }
}

#[test]
fn a_hole_in_a_policy_is_found() {
    let good = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'";
    assert_eq!(holes(good), [""; 0]);
    for more in [
        "connect-src *",
        "connect-src 'self' https://a.example",
        "img-src https:",
        "script-src 'self' 'unsafe-inline'",
        "script-src 'unsafe-eval'",
        "style-src 'unsafe-inline'",
        "worker-src blob:",
        "frame-src 'self'",
        "frame-ancestors *",
    ] {
        assert_eq!(holes(&format!("{good}; {more}")).len(), 1, "{more}");
    }
    for missing in good.split("; ") {
        assert_eq!(holes(&good.replace(missing, "")).len(), 1, "{missing}");
    }
    let page = "<meta charset=\"utf-8\" /><meta\n http-equiv=\"Content-Security-Policy\"\n content=\"a b\" />";
    assert_eq!(policy_of(page), Some("a b"));
    assert_eq!(policy_of("<meta name=\"Content-Security-Policy\">"), None);
}
