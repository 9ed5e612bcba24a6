//! The way to the running Countersign: the door of its data directory, and what to do when nobody is in.

use std::{io::ErrorKind, time::Duration};
use tokio::{sync::Mutex, time::Instant};

use super::desktop;
use crate::{
    app::Place,
    door::{self, Knock},
};

/// How long the desktop app may take to come up.
const START: Duration = Duration::from_secs(20);
/// How long a Countersign that was there may be away: it is being restarted.
const BACK: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(100);

/// Why nothing could be carried, in a sentence for whoever reads the client's messages.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

/// What is known of the Countersign behind the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Never,
    There,
    /// It was there and was ended, or could not be started. Nobody but the person starts it anew.
    Gone,
}

/// Finds the door open, opens it, or says how.
pub struct Way {
    place: Place,
    found: Mutex<Found>,
}

impl Way {
    /// The way to this data directory.
    pub fn to(place: Place) -> Self {
        Self { place, found: Mutex::new(Found::Never) }
    }

    /// A new connection. Starts the desktop app if it was never there and there is a screen; waits a while for one that was.
    pub async fn line(&self) -> Result<Knock, Trouble> {
        if let Some(line) = self.knock().await? {
            *self.found.lock().await = Found::There;
            return Ok(line);
        }
        let mut found = self.found.lock().await;
        // Whoever held the lock may have found it meanwhile.
        if let Some(line) = self.knock().await? {
            *found = Found::There;
            return Ok(line);
        }
        let line = match (*found, desktop::session()) {
            (Found::There, _) => self.wait(BACK, || Ok(())).await,
            (Found::Never, Some(session)) => self.start(session).await,
            (Found::Never, None) => return Err(self.nobody()),
            (Found::Gone, _) => Ok(None),
        };
        *found = if matches!(line, Ok(Some(_))) { Found::There } else { Found::Gone };
        line?.ok_or_else(|| self.nobody())
    }

    async fn start(&self, session: desktop::Session) -> Result<Option<Knock>, Trouble> {
        let mut app = desktop::start(&self.place, session)
            .map_err(|error| Trouble(format!("Countersign could not be started: {error}. {}", self.nobody())))?;
        let line = self.wait(START, || app.still_starting()).await;
        app.leave();
        line
    }

    async fn wait(
        &self,
        longest: Duration,
        mut goes_on: impl FnMut() -> Result<(), Trouble>,
    ) -> Result<Option<Knock>, Trouble> {
        let end = Instant::now() + longest;
        while Instant::now() < end {
            if let Some(line) = self.knock().await? {
                return Ok(Some(line));
            }
            goes_on()?;
            tokio::time::sleep(STEP).await;
        }
        Ok(None)
    }

    /// A new connection to whoever is there now; starts nothing and waits for nobody.
    pub async fn knock(&self) -> Result<Option<Knock>, Trouble> {
        match door::knock(&self.place.dir, door::AGENTS).await {
            Ok(line) => Ok(Some(line)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
            Err(error) => {
                Err(Trouble(format!("Countersign cannot be reached in {}: {error}", self.place.dir.display())))
            }
        }
    }

    fn nobody(&self) -> Trouble {
        Trouble(format!(
            "Countersign is not running in {dir}. Start it with `countersign --data-dir {dir}`, or in a terminal with `countersign serve --data-dir {dir}`, and try again.",
            dir = self.place.dir.display()
        ))
    }
}
