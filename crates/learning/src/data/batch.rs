//! Converts examples to tensors.

use anyhow::{Context, Result};
use burn::tensor::{Device, Int, Tensor, TensorData};
use captcha_evaluation::data::{Example, PlacedCharacter};
use captcha_model::image::{RgbImage, preprocess};
use captcha_model::{Grid, ModelConfig, Vocabulary};
use rand::RngExt;

/// The input of a training or validation step.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]`
    pub images: Tensor<4>,
    /// Input of the decoder: `<start> characters`, padded: `[batch, steps]`
    pub inputs: Tensor<2, Int>,
    /// Expected output of the decoder: `characters <end>`, padded: `[batch, steps]`
    pub targets: Tensor<2, Int>,
    /// The character whose centre lies in each grid cell, or padding: `[batch, positions]`; `None`
    /// if the positions of an example's characters are unknown.
    pub character_map: Option<Tensor<2, Int>>,
    /// How much of each grid cell the bounding box of a step's character covers, relative to the
    /// cell that it covers most; zeros for steps without a character:
    /// `[batch, steps, positions]`. `None` if the boxes of an example's characters are unknown.
    pub boxes: Option<Tensor<3>>,
}

impl Batch {
    /// The images at these indices.
    pub fn select(self, indices: &[usize]) -> Self {
        let indices: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), &self.images.device());
        Self {
            images: self.images.select(0, indices.clone()),
            inputs: self.inputs.select(0, indices.clone()),
            targets: self.targets.select(0, indices.clone()),
            character_map: (self.character_map).map(|map| map.select(0, indices.clone())),
            boxes: self.boxes.map(|boxes| boxes.select(0, indices)),
        }
    }

    /// The same batch without autodiff, for inference.
    pub fn without_autodiff(self) -> Self {
        Self {
            images: self.images.without_autodiff(),
            inputs: self.inputs.without_autodiff(),
            targets: self.targets.without_autodiff(),
            character_map: self.character_map.map(Tensor::without_autodiff),
            boxes: self.boxes.map(Tensor::without_autodiff),
        }
    }
}

/// A preprocessed example in host memory.
#[derive(Clone, Debug)]
pub struct Prepared {
    image: Vec<f32>,
    /// Height and width of the network's input.
    size: [usize; 2],
    /// Input of the decoder: `<start> characters`, padded; see [`Batcher::replace_inputs`].
    input: Vec<i32>,
    /// Expected output of the decoder: `characters <end>`, padded.
    target: Vec<i32>,
    character_map: Option<Vec<i32>>,
    /// The cells that each character's bounding box covers, character by character.
    boxes: Option<Vec<f32>>,
}

impl Prepared {
    /// Number of decoding steps until the text has ended.
    fn steps(&self) -> usize {
        let padding = self.target.iter().rev();
        let padding = padding.take_while(|&&token| token == Vocabulary::PAD as i32);
        self.target.len() - padding.count()
    }
}

/// Makes batches for a network.
#[derive(Clone, Debug)]
pub struct Batcher {
    config: ModelConfig,
    vocabulary: Vocabulary,
}

impl Batcher {
    /// A batcher for networks of this configuration.
    pub fn new(config: ModelConfig) -> Result<Self> {
        Ok(Self {
            vocabulary: config.vocabulary()?,
            config,
        })
    }

    /// Height and width of the network's input for an image.
    pub fn input_size(&self, image: &RgbImage) -> [usize; 2] {
        let input = self.config.for_image(image.width(), image.height()).input;
        [input.height, input.width]
    }

    /// Preprocesses an example. This is the expensive part, and it can run on any thread.
    pub fn prepare(&self, example: &Example) -> Result<Prepared> {
        self.prepare_at(example, self.input_size(&example.image))
    }

    /// Preprocesses an example for an input of a height and width.
    pub fn prepare_at(&self, example: &Example, size: [usize; 2]) -> Result<Prepared> {
        let config = self.config.with_input(size);
        let tokens = self
            .vocabulary
            .target(&example.text, self.config.max_length)?;
        let tokens: Vec<i32> = tokens.into_iter().map(|id| id as i32).collect();
        let steps = self.config.steps();
        let characters = example.characters.as_ref();
        let character_map =
            characters.map(|characters| self.character_map(characters, config.grid()));
        let covered = |placed: &PlacedCharacter| covered_cells(placed, config.grid());
        let boxes = characters.map(|characters| characters.iter().flat_map(covered).collect());
        Ok(Prepared {
            image: preprocess(&example.image, &config)?,
            size,
            input: tokens[..steps].to_vec(),
            target: tokens[1..].to_vec(),
            character_map: character_map.transpose()?,
            boxes,
        })
    }

    /// Replaces each character of the decoder's input with a random one, with this probability.
    pub fn replace_inputs(&self, prepared: &mut Prepared, share: f64, random: &mut impl RngExt) {
        let characters = Vocabulary::FIRST_CHARACTER as i32..self.vocabulary.size() as i32;
        for token in &mut prepared.input {
            if characters.contains(token) && random.random_bool(share) {
                *token = random.random_range(characters.clone());
            }
        }
    }

    /// Stacks preprocessed examples in batches of at most `most`, each of one input size. All have
    /// the steps of the longest text that the network writes, so that their outputs can be joined.
    pub fn batches(&self, prepared: &[Prepared], most: usize, device: &Device) -> Vec<Batch> {
        let mut groups: Vec<Vec<Prepared>> = Vec::new();
        for one in prepared {
            let open = |group: &&mut Vec<Prepared>| group.len() < most && group[0].size == one.size;
            match groups.iter_mut().find(open) {
                Some(group) => group.push(one.clone()),
                None => groups.push(vec![one.clone()]),
            }
        }
        let (groups, steps) = (groups.into_iter(), self.config.steps());
        groups
            .map(|group| self.stack_steps(group, steps, device))
            .collect()
    }

    /// Stacks preprocessed examples of one input size on a device. The batch has the steps of its
    /// longest text.
    ///
    /// # Panics
    ///
    /// If there are none, or their sizes differ.
    pub fn stack(&self, prepared: Vec<Prepared>, device: &Device) -> Batch {
        let steps = prepared.iter().map(Prepared::steps).max().unwrap_or(1);
        self.stack_steps(prepared, steps, device)
    }

    fn stack_steps(&self, prepared: Vec<Prepared>, steps: usize, device: &Device) -> Batch {
        let count = prepared.len();
        let config = self.config.with_input(prepared[0].size);
        assert!(
            prepared.iter().all(|one| one.size == prepared[0].size),
            "the images of a batch have one size"
        );
        let ints = |values: Vec<i32>, width: usize| {
            Tensor::<2, Int>::from_data(TensorData::new(values, [count, width]), device)
        };
        let tokens = |of: fn(&Prepared) -> &[i32]| {
            let tokens = prepared.iter().flat_map(|one| &of(one)[..steps]);
            ints(tokens.copied().collect(), steps)
        };
        let (inputs, targets) = (tokens(|one| &one.input), tokens(|one| &one.target));
        let maps: Option<Vec<Vec<i32>>> = prepared
            .iter()
            .map(|one| one.character_map.clone())
            .collect();
        let positions = config.grid().positions();
        let character_map = maps.map(|maps| ints(maps.concat(), positions));
        let boxes: Option<Vec<Vec<f32>>> = prepared
            .iter()
            .map(|one| {
                let mut boxes = one.boxes.clone()?;
                boxes.resize(steps * positions, 0.0);
                Some(boxes)
            })
            .collect();
        let boxes = boxes.map(|boxes| {
            let shape = [count, steps, positions];
            Tensor::from_data(TensorData::new(boxes.concat(), shape), device)
        });
        let images = prepared.into_iter().map(|one| one.image).collect();
        Batch {
            images: captcha_model::image::batch(images, &config, device),
            inputs,
            targets,
            character_map,
            boxes,
        }
    }

    fn character_map(&self, characters: &[PlacedCharacter], grid: Grid) -> Result<Vec<i32>> {
        let mut map = vec![Vocabulary::PAD as i32; grid.positions()];
        let cell =
            |share: f32, cells: usize| ((share.max(0.0) * cells as f32) as usize).min(cells - 1);
        for placed in characters {
            let id = self.vocabulary.id(placed.character).with_context(|| {
                format!(
                    "the network does not know the character {:?}",
                    placed.character
                )
            })?;
            map[cell(placed.y, grid.rows) * grid.cols + cell(placed.x, grid.cols)] = id as i32;
        }
        Ok(map)
    }
}

/// How much of each grid cell a character's bounding box covers, relative to the cell that it covers
/// most: `positions` numbers between 0 and 1.
fn covered_cells(placed: &PlacedCharacter, grid: Grid) -> Vec<f32> {
    let rows = covered_parts(placed.y, placed.height, grid.rows);
    let cols = covered_parts(placed.x, placed.width, grid.cols);
    let cells = || {
        rows.iter()
            .flat_map(|row| cols.iter().map(move |col| row * col))
    };
    let most = cells().fold(0.0, f32::max).max(f32::MIN_POSITIVE);
    cells().map(|covered| covered / most).collect()
}

/// How much of each of `parts` equal parts of a side an interval on this side covers.
fn covered_parts(centre: f32, length: f32, parts: usize) -> Vec<f32> {
    let (start, end) = (centre - length / 2.0, centre + length / 2.0);
    let part = |index: usize| index as f32 / parts as f32;
    let covered = (0..parts).map(|index| end.min(part(index + 1)) - start.max(part(index)));
    covered.map(|length| length.max(0.0)).collect()
}
