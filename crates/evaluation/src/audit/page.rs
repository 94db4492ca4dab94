//! The report: one HTML file without external resources, made of the page's own code.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::json;

use super::data::AuditData;
use super::summary::AuditSummary;
use crate::learning_curve::LearningCurve;
use crate::wording::escape;

/// Identifies a report among other files.
pub(super) const MARK: &str = r#"<meta name="generator" content="captcha-lens audit">"#;

/// Modules of the page; each follows those that it imports.
const MODULES: [&str; 15] = [
    include_str!("../../../../web/src/common/format.js"),
    include_str!("../../../../web/src/audit/alphabet.js"),
    include_str!("../../../../web/src/audit/intervals.js"),
    include_str!("../../../../web/src/audit/paths.js"),
    include_str!("../../../../web/src/audit/statistics.js"),
    include_str!("../../../../web/src/audit/verdict.js"),
    include_str!("../../../../web/src/audit/compare.js"),
    include_str!("../../../../web/src/ui/report/elements.js"),
    include_str!("../../../../web/src/ui/report/curve.js"),
    include_str!("../../../../web/src/ui/report/learning-curve.js"),
    include_str!("../../../../web/src/ui/report/comparison.js"),
    include_str!("../../../../web/src/ui/save-file.js"),
    include_str!("../../../../web/src/ui/report/save.js"),
    include_str!("../../../../web/src/ui/report/table.js"),
    include_str!("../../../../web/src/ui/report/report.js"),
];
const BASE: &str = include_str!("../../../../web/styles/base.css");
const STYLES: &str = include_str!("../../../../web/styles/report.css");

/// The report of an audit as HTML, optionally compared with another audit.
///
/// # Errors
///
/// If the data cannot be written as JSON.
pub fn html(
    data: &AuditData,
    compared: Option<&AuditData>,
    pictures: &HashMap<String, String>,
) -> Result<String> {
    let embedded = json!({
        "name": data.name,
        "about": data.about,
        "network": data.network,
        "ignoreCase": data.ignore_case,
        "items": data.items,
        "pictures": pictures,
        "compared": compared,
        "learningCurve": data.learning_curve,
    });
    // No text in the data may end the script element.
    let embedded = serde_json::to_string(&embedded)?.replace('<', "\\u003c");
    let weights = data.about.iter().find(|(name, _)| name == "Weights");
    let model = weights.map(|(_, value)| format!(" · {value}"));
    let title = escape(&format!(
        "Audit of {}{}",
        data.name,
        model.unwrap_or_default()
    ));
    // For readers without JavaScript; the script replaces it with the whole report.
    let curve = data.learning_curve.iter();
    let summary: String = AuditSummary::of(data)
        .sentences()
        .into_iter()
        .chain(curve.flat_map(LearningCurve::sentences))
        .map(|sentence| format!("<p>{}</p>\n", escape(&sentence)))
        .collect();
    let script: String = MODULES.into_iter().map(without_imports).collect();
    Ok(format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{MARK}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
{BASE}
{STYLES}
body {{ padding: clamp(1rem, 3vw, 2.5rem); }}
main {{ display: grid; grid-template-columns: minmax(0, 1fr); gap: var(--gap); max-width: 72rem; margin-inline: auto; }}
@media print {{ .report-downloads, .report-tools {{ display: none; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="report" class="report">
{summary}</div>
<noscript><p>The full report, with curve, table and images, needs JavaScript.</p></noscript>
</main>
<script type="application/json" id="data">{embedded}</script>
<script type="module">
{script}
const embedded = JSON.parse(document.getElementById("data").textContent);
const picture = async ({{ path }}) => embedded.pictures[path] ?? null;
renderReport(document.getElementById("report"), {{ ...embedded, picture }});
</script>
</body>
</html>
"#
    ))
}

/// Removes the imports of a module, for a script that contains the imported modules.
fn without_imports(module: &str) -> String {
    let mut rest = String::with_capacity(module.len());
    let mut importing = false;
    for line in module.lines() {
        importing |= line.starts_with("import ");
        if !importing {
            rest.push_str(line);
            rest.push('\n');
        }
        importing &= !line.ends_with(';');
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_imports_removes_imports_only() {
        let module = "// import a\nimport { a } from \"./a.js\";\nimport {\n  b,\n  c,\n} from \"./b.js\";\n\nexport const x = a(b, c);\n";
        assert_eq!(
            without_imports(module),
            "// import a\n\nexport const x = a(b, c);\n"
        );
    }

    /// All modules become one script, which must declare each name once.
    #[test]
    fn modules_declare_different_names() {
        let mut names = Vec::new();
        for line in MODULES.iter().flat_map(|module| module.lines()) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let line = line.strip_prefix("async ").unwrap_or(line);
            for keyword in ["function ", "const ", "let ", "class "] {
                if let Some(rest) = line.strip_prefix(keyword) {
                    let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_');
                    names.push(&rest[..end.unwrap_or(rest.len())]);
                }
            }
        }
        names.sort_unstable();
        assert!(names.len() > 40 && names.contains(&"renderReport"));
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
        assert!(!names.contains(&"embedded") && !names.contains(&"picture"));
    }
}
