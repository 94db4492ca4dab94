//! The place of each grid cell, as numbers that a network can use.
//!
//! A convolution knows its place only from the border of the image, as far as it sees. In a wide grid,
//! the cells in the middle see no border.

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::Grid;

/// Wavelengths in cells, along the columns and along the rows.
const COLUMN_WAVES: [f32; 7] = [4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
const ROW_WAVES: [f32; 3] = [4.0, 8.0, 16.0];

/// Number of values of a cell's encoding.
pub(crate) const ENCODING: usize = 2 * (COLUMN_WAVES.len() + ROW_WAVES.len());

/// Sine and cosine of each cell's column and row at several wavelengths (Vaswani et al. 2017,
/// "Attention Is All You Need", section 3.5).
///
/// # Shapes
///
/// - output: `[rows * cols, ENCODING]`, the grid row by row
pub(crate) fn encoding(grid: Grid, device: &Device) -> Tensor<2> {
    let mut values = Vec::with_capacity(grid.positions() * ENCODING);
    for row in 0..grid.rows {
        for col in 0..grid.cols {
            let mut push = |place: usize, waves: &[f32]| {
                for wave in waves {
                    let (sin, cos) = (std::f32::consts::TAU * place as f32 / wave).sin_cos();
                    values.extend([sin, cos]);
                }
            };
            push(col, &COLUMN_WAVES);
            push(row, &ROW_WAVES);
        }
    }
    Tensor::from_data(
        TensorData::new(values, [grid.positions(), ENCODING]),
        device,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_differs_from_cell_to_cell() {
        let grid = Grid { rows: 6, cols: 64 };
        let values = encoding(grid, &Device::default()).into_data();
        let values: Vec<f32> = values.try_into_vec().expect("single precision");
        let cells: Vec<&[f32]> = values.chunks_exact(ENCODING).collect();
        assert_eq!(cells.len(), 6 * 64);
        for (i, a) in cells.iter().enumerate() {
            for b in &cells[..i] {
                let distance: f32 = a.iter().zip(*b).map(|(a, b)| (a - b).powi(2)).sum();
                assert!(distance > 0.01);
            }
        }
    }
}
