//! Copies results from the device to the host.

use burn::tensor::{Int, Tensor};

use crate::error::{ModelError, plain_cause};

/// Waits for a tensor and copies its values to the host, row by row. It does not block, which
/// browsers do not allow.
///
/// # Errors
///
/// [`ModelError::DeviceLost`] if the device fails, or if a value is not finite. Weights and images
/// are finite, so such a value comes from a device that computes wrongly.
pub(crate) async fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
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

/// Waits for token ids and copies them to the host.
///
/// # Errors
///
/// [`ModelError::DeviceLost`] if the device fails.
pub(crate) async fn read_back_ids(tensor: Tensor<1, Int>) -> Result<Vec<i64>, ModelError> {
    let data = tensor
        .into_data_async()
        .await
        .map_err(|error| lost(&error))?;
    data.convert::<i64>()
        .try_into_vec()
        .map_err(|error| lost(&error))
}

fn lost(error: &dyn std::fmt::Display) -> ModelError {
    ModelError::DeviceLost(plain_cause(&error.to_string()))
}
