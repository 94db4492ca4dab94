//! Rules of the page's sources. The Content-Security-Policy that browsers enforce is the real guard.
//! These tests find violations, and weak policies, before a browser runs.

use super::root;
use super::sources::{code, script, sources, words_in};

/// Names that only `web/src/ui` may use.
const UI_ONLY: [&str; 2] = ["document", "window"];

/// APIs that run text as code or markup. A file name or a link could contain such text.
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
fn page_sources_outside_ui_do_not_touch_the_document() {
    let ui = root().join("web/src/ui");
    for (path, text) in sources(&["src"], &["js"], &[]) {
        let code = script(&text);
        if !path.starts_with(&ui) {
            assert_eq!(words_in(&code, &UI_ONLY), [""; 0], "{}", path.display());
        }
        assert_eq!(words_in(&code, &INJECTION), [""; 0], "{}", path.display());
    }
}

#[test]
fn document_access_is_found() {
    for bad in [
        "document.title = word;",
        "globalThis.document.body",
        "const { body } = document;",
        "window.top",
        "self[`x`]; // \n document",
    ] {
        assert_ne!(words_in(&script(bad), &UI_ONLY), [""; 0], "{bad}");
    }
    for good in [
        "// the document",
        "/* document.body */",
        "ownerDocument",
        "a_document",
    ] {
        assert_eq!(words_in(&script(good), &UI_ONLY), [""; 0], "{good}");
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

/// XML namespaces, which are not requested.
const NAMESPACES: [&str; 2] = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"];

/// APIs that send requests. The page uses `fetch` and `import` only.
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

/// Whether an address is a link that sends no referrer.
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

/// Addresses of other origins and request APIs in code, styles or markup without comments.
fn external_requests(code: &str) -> Vec<String> {
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
        // `"//host"`, `url(//host)`, `src=//host` take the scheme of the page.
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
fn page_names_no_other_origin() {
    let more = ["index.html", "audit.html", "teach.html"];
    let folders = ["src", "styles", "parts"];
    for (path, text) in sources(&folders, &["js", "css", "html"], &more) {
        let extension = path.extension().unwrap().to_str().unwrap();
        let code = code(extension, &text);
        assert_eq!(external_requests(&code), [""; 0], "{}", path.display());
    }
}

#[test]
fn external_request_is_found() {
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
        assert_ne!(external_requests(&script(bad)), [""; 0], "{bad}");
    }
    for bad in [
        ".a { background: url(//a.example/a.png) }",
        ".a { background: url(\"http://a.example/a.png\") }",
    ] {
        assert_ne!(external_requests(&code("css", bad)), [""; 0], "{bad}");
    }
    for bad in [
        "<img src=\"//a.example/a.png\">",
        "<script src=//a.example/a.js></script>",
        "<link rel=\"noreferrer\" href=\"https://a.example\">",
        "<a ping=\"https://a.example\" rel=\"noreferrer\">",
        "<a href=\"https://a.example\">",
    ] {
        assert_ne!(external_requests(&code("html", bad)), [""; 0], "{bad}");
    }
    let link = "<a\n  href=\"https://a.example\" rel=\"noreferrer\">";
    assert_eq!(external_requests(link), [""; 0]);
    let style = "/* https://a.example */ .a { color: red }";
    assert_eq!(external_requests(&code("css", style)), [""; 0]);
    for good in [
        "fetch(new URL(\"a.json\", import.meta.url))",
        "// see https://a.example\nfetch(own)",
        "`<svg xmlns=\"http://www.w3.org/2000/svg\">`",
        "const half = width // of the picture\n / 2;",
        "path.split(\"//\")",
    ] {
        assert_eq!(external_requests(&script(good)), [""; 0], "{good}");
    }
}

/// Sources in a policy that the page does not need, and directives that it lacks.
fn weaknesses(policy: &str) -> Vec<String> {
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
    let mut weaknesses = Vec::new();
    for (name, sources) in &directives {
        let unneeded = sources
            .iter()
            .filter(|source| !allowed(name).contains(source));
        weaknesses.extend(unneeded.map(|source| format!("{name} {source}")));
    }
    // `default-src` covers the directives without an entry, except for the other three.
    for name in ["default-src", "object-src", "base-uri", "form-action"] {
        if !directives.iter().any(|(found, _)| *found == name) {
            weaknesses.push(format!("no {name}"));
        }
    }
    weaknesses
}

/// The policy in the `<meta>` tag of a page.
fn policy_of(page: &str) -> Option<&str> {
    let tag = page
        .split('<')
        .find(|tag| tag.starts_with("meta") && tag.contains("\"Content-Security-Policy\""))?;
    tag.split("content=\"").nth(1)?.split('"').next()
}

#[test]
fn content_security_policy_is_strict_and_equal_in_pages_and_headers() {
    let names = [
        "index.html",
        "audit.html",
        "teach.html",
        "parts/head.html",
        "public/_headers",
    ];
    let files = sources(&[], &[], &names);
    let texts: Vec<_> = files.into_iter().map(|(_, text)| text).collect();
    let header = texts[4]
        .lines()
        .find_map(|line| line.trim().strip_prefix("Content-Security-Policy: "))
        .unwrap();
    assert_eq!(weaknesses(header), [""; 0]);
    // `<meta>` does not support `frame-ancestors`.
    let (in_pages, framing) = header.rsplit_once("; ").unwrap();
    assert_eq!(framing, "frame-ancestors 'none'");
    let head = &texts[3];
    assert_eq!(policy_of(head), Some(in_pages));
    // The policy does not apply to elements before the tag.
    let before = head.split("http-equiv").next().unwrap();
    assert!(!before.contains("<script") && !before.contains("<link"));
    for page in &texts[..3] {
        assert!(page.contains("<head>\n    <!-- insert head -->\n"));
    }
}

#[test]
fn weak_policy_is_found() {
    let good = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'";
    assert_eq!(weaknesses(good), [""; 0]);
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
        assert_eq!(weaknesses(&format!("{good}; {more}")).len(), 1, "{more}");
    }
    for missing in good.split("; ") {
        assert_eq!(weaknesses(&good.replace(missing, "")).len(), 1, "{missing}");
    }
    let page = "<meta charset=\"utf-8\" /><meta\n http-equiv=\"Content-Security-Policy\"\n content=\"a b\" />";
    assert_eq!(policy_of(page), Some("a b"));
    assert_eq!(policy_of("<meta name=\"Content-Security-Policy\">"), None);
}
