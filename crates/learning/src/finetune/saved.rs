//! A run as bytes, so that it goes on after its process has ended.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use captcha_model::Network;
use serde::{Deserialize, Serialize};

use crate::finetune::clock::Clock;
use crate::finetune::job::Job;
use crate::finetune::run::{Run, State};
use crate::norm::fix_norm;

/// First bytes of a saved run; the number grows with the format.
const MAGIC: &[u8; 8] = b"clrun\0\0\x01";

/// The numbers of a saved run.
#[derive(Serialize, Deserialize)]
struct Header {
    state: State,
    /// Seconds of learning.
    seconds: f64,
    /// What the run learns from; see [`Job::digest`].
    job: String,
}

impl Run {
    /// The run as bytes: the magic number, then the header, the network, its average, the network to
    /// keep and the optimizer, each after its length.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn save(&self) -> Result<Vec<u8>> {
        let header = Header {
            state: self.state.clone(),
            seconds: self.clock.elapsed().as_secs_f64(),
            job: self.job().digest()?,
        };
        let mut bytes = MAGIC.to_vec();
        push(&mut bytes, &serde_json::to_vec(&header)?);
        for network in [&self.network, &self.average, &self.best] {
            let record = network.clone().into_record();
            push(&mut bytes, &record.into_bytes().map_err(failed)?);
        }
        push(&mut bytes, &self.optimizer.into_bytes().map_err(failed)?);
        Ok(bytes)
    }

    /// Goes on with a saved run of the same job.
    ///
    /// # Errors
    ///
    /// If the bytes are damaged or of another job.
    pub fn resume(job: Arc<Job>, time_limit: Option<Duration>, bytes: &[u8]) -> Result<Self> {
        let damaged = "the saved run is damaged: start again";
        let mut rest = bytes.strip_prefix(MAGIC).context(damaged)?;
        let mut next = || -> Result<&[u8]> {
            let (length, tail) = rest.split_first_chunk().context(damaged)?;
            let length = usize::try_from(u64::from_le_bytes(*length)).context(damaged)?;
            let (part, tail) = tail.split_at_checked(length).context(damaged)?;
            rest = tail;
            Ok(part)
        };
        let header: Header = serde_json::from_slice(next()?).context(damaged)?;
        let mut run = Self::new(job, time_limit)?;
        ensure!(
            header.job == run.job().digest()?,
            "the saved run belongs to other images, labels or settings: start again"
        );
        run.network = loaded(run.network, next()?).context(damaged)?;
        if run.job().fixed_norm {
            fix_norm(&mut run.network);
        }
        run.average = loaded(run.average, next()?).context(damaged)?;
        run.best = loaded(run.best, next()?).context(damaged)?;
        let optimizer = Bytes::from_bytes_vec(next()?.to_vec());
        run.optimizer = (run.optimizer.from_bytes(optimizer))
            .map_err(failed)
            .context(damaged)?;
        run.state = header.state;
        run.clock = Clock::started(Duration::try_from_secs_f64(header.seconds).context(damaged)?);
        // The strength of the next step's augmentation depends on it.
        run.job().set_done(run.done());
        Ok(run)
    }
}

fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

fn loaded(network: Network, bytes: &[u8]) -> Result<Network> {
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(failed)?;
    network.try_load_record(record).map_err(failed)
}

fn failed(error: RecordError) -> anyhow::Error {
    anyhow!("{error:?}")
}
