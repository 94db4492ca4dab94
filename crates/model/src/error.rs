//! What can go wrong, each with a stable code and a sentence that says what to do.

/// Everything that reading an image or a weights file can fail with.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The bytes are no image that can be decoded.
    #[error("This is not an image that can be read ({0}). Use a PNG, JPEG, WebP, GIF or BMP file.")]
    UnreadableImage(String),
    /// The file or its picture is larger than the limits.
    #[error(
        "This image is too large ({0}). At most 20 MB, 40 megapixels and 65,535 pixels a side are read; crop or shrink it."
    )]
    ImageTooLarge(String),
    /// The weights file is damaged, of another version, or not ours.
    #[error(
        "These weights cannot be used: {0}. Use a weights file made by this version of captcha-lens."
    )]
    BadWeights(String),
    /// A network that cannot be built.
    #[error("This network configuration cannot be used: {0}.")]
    InvalidConfig(String),
    /// A label the network could never answer.
    #[error("The label {text:?} cannot be learnt: {reason}.")]
    UnusableLabel {
        /// The label.
        text: String,
        /// Why not.
        reason: String,
    },
    /// A tensor of another shape than the network takes.
    #[error(
        "The network takes {expected}, not {found}. Prepare images with `Recognizer::preprocess`."
    )]
    InvalidInput {
        /// The shape that the network takes.
        expected: String,
        /// The shape of what it was given.
        found: String,
    },
    /// The device stopped answering, as a GPU does when its driver resets, or answers nonsense.
    #[error("The device failed ({0}). Load the network again, or use the CPU.")]
    DeviceLost(String),
}

impl ModelError {
    /// A short name for programs, the same natively and in the browser.
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

/// The cause in a message of another library, for people to read: one line, without a backtrace,
/// without JavaScript's wrapping, and with no more of a source file's path than its name.
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
