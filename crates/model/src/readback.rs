//! Results on their way from the device to the host.

use burn::tensor::Tensor;

use crate::error::{ModelError, plain_cause};

/// Waits for a tensor and copies its values to the host, row by row. Browsers know no other way
/// to wait: nothing here blocks.
///
/// # Errors
///
/// [`ModelError::DeviceLost`] if the device fails, or if a value is not finite: weights and
/// images are, so only a device that computes wrongly answers so.
pub(crate) async fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let lost =
        |error: &dyn std::fmt::Display| ModelError::DeviceLost(plain_cause(&error.to_string()));
    let data = tensor
        .into_data_async()
        .await
        .map_err(|error| lost(&error))?;
    let values: Vec<f32> = data
        .convert::<f32>()
        .try_into_vec()
        .map_err(|error| lost(&error))?;
    if !values.iter().all(|value| value.is_finite()) {
        return Err(lost(&"it answered with values that are not numbers"));
    }
    Ok(values)
}
