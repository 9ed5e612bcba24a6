//! Whether a client's entry is of use: it runs this program, and its agent has a token here.

use super::{Found, Launch, State};
use crate::{app::Place, bridge::token};

impl Found {
    /// How the client stands with the Countersign of this place.
    ///
    /// # Errors
    /// Where this program's own path cannot be said.
    pub fn stand(&self, place: &Place) -> anyhow::Result<State> {
        let agent = self.client.id.parse()?;
        Ok(match self.state(&Launch::of(place, &agent)?) {
            State::Connected => match token::read(&place.dir, &agent) {
                Ok(_) => State::Connected,
                Err(error) => State::Stale(format!("{error:#}")),
            },
            state => state,
        })
    }
}
