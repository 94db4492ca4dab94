//! The metrics of a run, epoch by epoch.

/// Means of an epoch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epoch {
    /// Number, from 1.
    pub number: usize,
    /// Training loss.
    pub train_loss: f64,
    /// Word accuracy on training images in percent.
    pub train_accuracy: f64,
    /// Validation loss.
    pub valid_loss: f64,
    /// Word accuracy on validation images in percent.
    pub valid_accuracy: f64,
}

/// Frequencies of the most frequent answer and label of the validation images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Validation images.
    pub images: usize,
    /// Images with the most frequent answer.
    pub same_answer: usize,
    /// Images with the most frequent label.
    pub same_label: usize,
}

/// A run so far.
#[derive(Clone, Debug, Default)]
pub struct TrainingHistory {
    /// Finished epochs, in order.
    pub epochs: Vec<Epoch>,
    /// Training images in an epoch.
    pub train_images: usize,
    /// Validation images.
    pub valid_images: usize,
    /// Answers in the last epoch.
    pub answers: Option<Answers>,
    /// Steps of the whole run.
    pub steps: usize,
    /// Whether the training images are a folder's, the same in each epoch.
    pub is_folder: bool,
    /// Peak learning rate.
    pub learning_rate: f64,
}
