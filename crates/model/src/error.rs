//! Errors. Each has a stable code, and a message that says what to do.

/// The errors of recognizing an image and of reading a weights file.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The bytes are not an image that can be decoded.
    #[error("This is not an image that can be read ({0}). Use a PNG, JPEG, WebP, GIF or BMP file.")]
    UnreadableImage(String),
    /// The file or its image exceeds the limits.
    #[error(
        "This image is too large ({0}). The limit is 20 MB, 40 megapixels and 65,535 pixels per side. Crop or shrink the image."
    )]
    ImageTooLarge(String),
    /// The weights file is damaged, of another version, or of another program.
    #[error(
        "These weights cannot be used: {0}. Use a weights file made by this version of captcha-lens."
    )]
    BadWeights(String),
    /// The configuration of a network that cannot be built.
    #[error("This network configuration cannot be used: {0}.")]
    InvalidConfig(String),
    /// A label that the network cannot answer.
    #[error("The label {text:?} cannot be learned: {reason}.")]
    UnusableLabel {
        /// The label.
        text: String,
        /// The reason.
        reason: String,
    },
    /// A tensor does not have the shape of the network's input.
    #[error(
        "The network takes {expected}, not {found}. Prepare images with `Recognizer::preprocess`."
    )]
    InvalidInput {
        /// The shape of the network's input.
        expected: String,
        /// The shape of the tensor.
        found: String,
    },
    /// The device stopped working, as a GPU does when its driver resets, or computes wrongly.
    #[error("The device failed ({0}). Load the network again, or use the CPU.")]
    DeviceLost(String),
}

impl ModelError {
    /// A short, stable name for programs, the same natively and in the browser.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnreadableImage(_) => "unreadable-image",
            Self::ImageTooLarge(_) => "image-too-large",
            Self::BadWeights(_) => "bad-weights",
            Self::InvalidConfig(_) => "invalid-config",
            Self::UnusableLabel { .. } => "unusable-label",
            Self::InvalidInput { .. } => "invalid-input",
            Self::DeviceLost(_) => "device-lost",
        }
    }
}

/// The cause in an error message of another library, as plain text: one line, without a backtrace
/// and JavaScript's wrapping, and without the folders of source files.
pub fn plain_cause(message: &str) -> String {
    let end = ["Backtrace", "BACKTRACE", "stack backtrace"]
        .iter()
        .filter_map(|mark| message.find(mark))
        .min();
    let message = &message[..end.unwrap_or(message.len())];
    let (_, cause) = message.rsplit_once("Caused by:").unwrap_or(("", message));
    let cause = match cause.split_once("JsValue(") {
        // A JavaScript error: its name and message, then its stack.
        Some((before, error)) => {
            let error = error.lines().next().unwrap_or_default().trim_end();
            let error = error.strip_suffix(')').unwrap_or(error);
            format!(
                "{before}{}",
                error.strip_suffix(" undefined").unwrap_or(error)
            )
        }
        None => cause.to_owned(),
    };
    let words = cause
        .split_whitespace()
        .map(|word| match word.rsplit_once(['/', '\\']) {
            Some((_, name)) if name.contains(".rs") => name,
            _ => word,
        });
    words.collect::<Vec<_>>().join(" ")
}
