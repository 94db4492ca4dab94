//! Matrices with strides.

/// Values, and the distance in them from row to row and from column to column.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

impl<'a> Matrix<'a> {
    pub(crate) fn new(values: &'a [f32], row_stride: usize, col_stride: usize) -> Self {
        Self {
            values,
            row_stride,
            col_stride,
        }
    }

    /// Whether the values are enough for a matrix of this size.
    pub(crate) fn holds(&self, rows: usize, cols: usize) -> bool {
        (rows - 1) * self.row_stride + (cols - 1) * self.col_stride < self.values.len()
    }
}
