//! Sorts images by the size of the network's input, so that each batch has one size.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Items that wait for others with an input of the same size. If all have the same size, their order
/// stays.
pub struct SizeSorter<T> {
    batch: usize,
    /// By input size, as [`order`] sorts them.
    waiting: BTreeMap<Order, Vec<T>>,
}

/// Items of a batch.
#[derive(Debug, PartialEq)]
pub struct SizedBatch<T> {
    /// The items.
    pub items: Vec<T>,
    /// Height and width of the network's input for all of them.
    pub size: [usize; 2],
}

/// Inputs with about the same number of pixels, from high to wide ones.
type Order = (Reverse<usize>, usize);

impl<T> SizeSorter<T> {
    /// For batches of `batch` items.
    pub fn new(batch: usize) -> Self {
        Self {
            batch,
            waiting: BTreeMap::new(),
        }
    }

    /// Adds an item with an input of `[height, width]`. Takes the batch that it completes.
    pub fn push(&mut self, item: T, size: [usize; 2]) -> Option<SizedBatch<T>> {
        let [height, width] = size;
        let waiting = self.waiting.entry((Reverse(height), width)).or_default();
        waiting.push(item);
        (waiting.len() == self.batch).then(|| SizedBatch {
            items: std::mem::take(waiting),
            size,
        })
    }

    /// Takes the waiting items, a batch for each size.
    pub fn rest(&mut self) -> Vec<SizedBatch<T>> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let sized = waiting.map(|((Reverse(height), width), items)| SizedBatch {
            items,
            size: [height, width],
        });
        sized.filter(|batch| !batch.items.is_empty()).collect()
    }

    /// Takes the waiting items in as few batches as possible. Each has the size of its middle item:
    /// the others are stretched to one of the next proportions.
    pub fn merged_rest(&mut self) -> Vec<SizedBatch<T>> {
        let items = self
            .rest()
            .into_iter()
            .flat_map(|SizedBatch { items, size }| items.into_iter().map(move |item| (item, size)));
        let mut items = items.peekable();
        let mut merged = Vec::new();
        while items.peek().is_some() {
            let batch: Vec<_> = items.by_ref().take(self.batch).collect();
            let (_, size) = batch[batch.len() / 2];
            let items = batch.into_iter().map(|(item, _)| item).collect();
            merged.push(SizedBatch { items, size });
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [usize; 2] = [260, 260];
    const FLAT: [usize; 2] = [132, 516];
    const WIDE: [usize; 2] = [100, 996];

    #[test]
    fn sorter_keeps_the_order_of_one_size() {
        let mut sorter = SizeSorter::new(3);
        let full: Vec<_> = (0..7).filter_map(|item| sorter.push(item, FLAT)).collect();
        let items: Vec<_> = full.into_iter().map(|batch| batch.items).collect();
        assert_eq!(items, [[0, 1, 2], [3, 4, 5]]);
        let rest = sorter.merged_rest();
        assert_eq!(
            rest,
            [SizedBatch {
                items: vec![6],
                size: FLAT
            }]
        );
        assert!(sorter.rest().is_empty());
    }

    #[test]
    fn sorter_merges_the_rest_by_proportions() {
        let fill = || {
            let mut sorter = SizeSorter::new(3);
            for (item, size) in [(1, WIDE), (2, SQUARE), (3, FLAT), (4, WIDE), (5, SQUARE)] {
                assert_eq!(sorter.push(item, size), None);
            }
            sorter
        };
        let of = |items: &[i32], size| SizedBatch {
            items: items.to_vec(),
            size,
        };
        assert_eq!(
            fill().rest(),
            [of(&[2, 5], SQUARE), of(&[3], FLAT), of(&[1, 4], WIDE)]
        );
        assert_eq!(
            fill().merged_rest(),
            [of(&[2, 5, 3], SQUARE), of(&[1, 4], WIDE)]
        );
    }
}
