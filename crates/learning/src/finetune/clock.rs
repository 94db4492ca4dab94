//! Learning time, without pauses.

use std::time::Duration;

use web_time::Instant;

/// Measures time while it is not stopped.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    before: Duration,
    since: Option<Instant>,
}

impl Clock {
    /// A clock that has already measured `before`, and goes on now.
    pub(super) fn started(before: Duration) -> Self {
        Self {
            before,
            since: Some(Instant::now()),
        }
    }

    /// Stops; nothing if it is stopped.
    pub fn stop(&mut self) {
        *self = Self {
            before: self.elapsed(),
            since: None,
        };
    }

    /// Goes on; nothing if it is not stopped.
    pub fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// The time so far.
    pub fn elapsed(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_does_not_count_pauses() {
        let mut clock = Clock::started(Duration::from_secs(5));
        clock.stop();
        let stopped = clock.elapsed();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.elapsed(), stopped);
        clock.stop();
        assert_eq!(clock.elapsed(), stopped);
        clock.start();
        std::thread::sleep(Duration::from_millis(2));
        let running = clock.elapsed();
        assert!(running >= stopped + Duration::from_millis(2));
        clock.start();
        assert!(clock.elapsed() >= running);
    }
}
