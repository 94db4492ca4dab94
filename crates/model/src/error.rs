//! What can go wrong, each with a stable code and a sentence that says what to do.

/// Everything that reading an image or a weights file can fail with.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The bytes are no image that can be decoded.
    #[error("This is not an image that can be read ({0}). Use a PNG, JPEG, WebP, GIF or BMP file.")]
    UnreadableImage(String),
    /// The file or its picture is larger than the limits.
    #[error(
        "This image is too large ({0}). At most 20 MB and 40 megapixels are read; crop or shrink it."
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
            Self::DeviceLost(_) => "device-lost",
        }
    }
}
