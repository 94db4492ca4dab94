//! The loop of a run, with a thread that prepares images.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Result, anyhow};

use crate::finetune::job::{Job, PreparedPart, Steps};
use crate::finetune::outcome::{End, Fitted};
use crate::finetune::run::Run;
use crate::session::Session;

/// Steps whose images are prepared before the network needs them.
const PREFETCH: usize = 2;

/// Adapts a network to images. A user who stops it keeps the best network so far.
///
/// # Errors
///
/// If an image cannot be read, the device fails, or the loss is not a number before the first
/// validation.
pub fn fit(job: &Arc<Job>, session: &Session) -> Result<Fitted> {
    let mut run = Run::start(job.clone(), session.time_limit)?;
    session.progress.message(&run.describe());
    let prepare = Steps::new(job.clone(), 0)?;
    let (sender, steps) = sync_channel(PREFETCH);
    let end = std::thread::scope(|scope| {
        scope.spawn(move || {
            for prepared in prepare {
                let failed = prepared.is_err();
                if sender.send(prepared).is_err() || failed {
                    break;
                }
            }
        });
        // `steps` is dropped at its end, which ends the thread.
        learn(&mut run, job, steps, session)
    })?;
    if run.validate_rest()? {
        session.progress.message(&run.describe());
    }
    run.finish(end, &session.stop)
}

fn learn(
    run: &mut Run,
    job: &Job,
    steps: Receiver<Result<Vec<PreparedPart>>>,
    session: &Session,
) -> Result<End> {
    let (count, batch) = job.size();
    session.progress.start_stage("fine-tuning", count * batch);
    let end = loop {
        if session.stop.load(Ordering::Relaxed) {
            break End::Interrupted;
        }
        if run.done() >= 1.0 {
            break End::TimeLimit;
        }
        let prepared = steps
            .recv()
            .unwrap_or_else(|_| Err(anyhow!("the loader stopped early")))?;
        let validations = run.history().len();
        let end = run.advance(prepared)?;
        let loss = run.recent_loss();
        let loss = loss.map_or(String::new(), |loss| format!("training loss {loss:.2}"));
        session.progress.update(run.step() * batch, &loss);
        if run.history().len() > validations {
            session.progress.message(&run.describe());
        }
        if let Some(end) = end {
            break end;
        }
    };
    session.progress.end_stage();
    Ok(end)
}
