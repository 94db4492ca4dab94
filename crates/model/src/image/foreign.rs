//! Files that are often given as images but are none.

/// What kind of file these bytes are, and how to make an image of it; `None` if the kind is
/// unknown.
pub(super) fn describe(bytes: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let begins = |marks: &[&str]| marks.iter().any(|mark| start.starts_with(mark));
    let is_xml = begins(&["<?xml", "<!--", "<!doctype svg"]);
    if begins(&["<svg"]) || (is_xml && start.contains("<svg")) {
        Some("it is an SVG drawing: convert it to a PNG first")
    } else if begins(&["data:"]) {
        Some(
            "it is the text of a data URL: decode the base64 text after the comma into a file first",
        )
    // The first characters of PNG, JPEG, GIF, WebP and SVG files in base64.
    } else if begins(&["ivborw0kggo", "/9j/", "r0lgod", "uklgr", "phn2z"]) {
        Some("it is base64 text: decode it into a file first")
    } else if begins(&["<!doctype html", "<html", "<head", "<body"]) {
        Some("it is a web page: save the image itself")
    } else if begins(&["%pdf"]) {
        Some("it is a PDF document: save the image that it holds as a PNG first")
    } else {
        None
    }
}
