//! The page's source files.

use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// All files in a folder and its subfolders with one of these extensions.
pub(super) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if extensions.contains(&extension) {
            found.push(path);
        }
    }
    found
}

/// The text of all files in these folders of the page, and of the files in `more`.
pub(super) fn sources(
    folders: &[&str],
    extensions: &[&str],
    more: &[&str],
) -> Vec<(PathBuf, String)> {
    let web = root().join("web");
    let mut paths: Vec<_> = more.iter().map(|name| web.join(name)).collect();
    for folder in folders {
        paths.extend(files(&web.join(folder), extensions));
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

/// The code of a file with this extension, without comments.
pub(super) fn code(extension: &str, text: &str) -> String {
    match extension {
        "html" => text.to_owned(),
        _ => without_comments(text, extension == "js"),
    }
}

/// JavaScript or CSS without comments. CSS has no `//` comments.
fn without_comments(text: &str, line_comments: bool) -> String {
    let mut code = String::new();
    let mut rest = text;
    let mut quote = None;
    while let Some(character) = rest.chars().next() {
        let length = match quote {
            _ if character == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            // A string ends at its quote, or at the end of the line if it is no template.
            Some(end) => {
                if character == end || (character == '\n' && end != '`') {
                    quote = None;
                }
                character.len_utf8()
            }
            None if line_comments && rest.starts_with("//") => {
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

/// Whether the code contains the word.
fn has_word(code: &str, word: &str) -> bool {
    code.split(|character: char| {
        !character.is_alphanumeric() && character != '_' && character != '$'
    })
    .any(|found| found == word)
}

/// The words that the code contains.
pub(super) fn words_in<'a>(code: &str, words: &[&'a str]) -> Vec<&'a str> {
    words
        .iter()
        .copied()
        .filter(|word| has_word(code, word))
        .collect()
}

/// The path that a module at `path` imports by the relative address `from`; `None` outside of the
/// root.
pub(super) fn resolve(path: &str, from: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in from.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
