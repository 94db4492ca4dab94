//! The purposes of images.

/// The purpose of an image. It is part of the random stream's key, so that images of two splits never
/// come from the same stream, whatever the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// To train on.
    Train,
    /// To choose between models.
    Validation,
    /// To report scores on.
    Test,
    /// To export as files for any use, training included.
    Export,
}

impl Split {
    pub(crate) fn tag(self) -> u32 {
        match self {
            Self::Train => 1,
            Self::Validation => 2,
            Self::Test => 3,
            Self::Export => 4,
        }
    }
}
