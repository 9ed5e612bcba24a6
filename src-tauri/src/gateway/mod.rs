//! Paid MCP servers behind Countersign: `/mcp/NAME` is one of them, with what it asks for paid through the one desk.
//!
//! Nothing here signs, judges or decides. A price goes to the desk like every other; prices, credentials and receipts never cross
//! to the client. An upstream is reached only after the person has seen its exact address or command; what it said of its tools
//! and prices then is pinned, and a change asks again.

mod ask;
mod attend;
mod book;
mod call;
mod clean;
mod errand;
mod face;
mod keep;
mod left;
mod line;
mod login;
mod mail;
mod pay;
mod pins;
mod price;
mod retry;
mod room;
mod route;
mod shelf;
mod state;
mod target;
mod together;
mod toll;
mod visits;
mod widen;

use book::Book;
pub use login::Introduced;
pub use route::router;
pub use target::{Name, Target};
pub use together::Together;

use anyhow::{Context as _, anyhow, bail};
use countersign_core::payment::AgentName;
use countersign_desk::{approver::Approver, wire::Wire};
use countersign_vault::Vault;
use rmcp::model::Tool;
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::broadcast;

use ask::Asked;
use book::Entry;
use left::Left;
use login::Logins;
use pins::{Pins, Taken};
use room::Room;
use state::States;

/// Changes of lists that a listener may be behind.
const NEWS: usize = 64;

/// Every upstream, and who is connected to it.
pub struct Gateway {
    book: Result<Book, String>,
    wire: Wire,
    logins: Logins,
    approver: Arc<dyn Approver>,
    patience: Duration,
    rooms: Mutex<HashMap<(AgentName, Name), Arc<Room>>>,
    left: Left,
    states: States,
    news: broadcast::Sender<Option<AgentName>>,
    asked: Mutex<Asked>,
}

impl Gateway {
    /// Over the upstreams of this data directory. A list that cannot be read is told to whoever asks, and nothing is reached.
    ///
    /// # Errors
    /// Without randomness from the operating system.
    pub fn open(
        dir: &Path,
        vault: Vault,
        wire: Wire,
        approver: Arc<dyn Approver>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let book = Book::open(dir).map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "the upstreams cannot be read; none is reached");
            format!("{error:#}")
        });
        let (rooms, left, asked, states) = (Mutex::default(), Left::default(), Mutex::default(), States::new()?);
        let (news, _) = broadcast::channel(NEWS);
        let logins = Logins::new(vault, wire.clone());
        Ok(Self { book, wire, logins, approver, patience, rooms, left, states, news, asked })
    }

    fn book(&self) -> anyhow::Result<&Book> {
        self.book.as_ref().map_err(|why| anyhow!("{why}"))
    }

    /// Whether an upstream could be added, before a person is asked.
    ///
    /// # Errors
    /// The name is taken, or the address must not be reached.
    pub fn may_add(&self, name: &Name, target: &Target) -> anyhow::Result<()> {
        if self.book()?.get(name).is_some() {
            bail!("there is an upstream {name} already; remove it first");
        }
        match target {
            Target::Url(url) => {
                self.wire.check(url).context("only public https addresses, and hosts of fetch.allow_private_hosts")
            }
            Target::Command(_) => Ok(()),
        }
    }

    /// Adds an upstream the person has agreed to.
    ///
    /// # Errors
    /// As [`Self::may_add`], and when it cannot be written down.
    pub fn add(&self, name: &Name, target: Target) -> anyhow::Result<()> {
        self.may_add(name, &target)?;
        self.book()?.change(|all| drop(all.insert(name.clone(), Entry { target, pins: Pins::default() })))?;
        self.changed(name);
        Ok(())
    }

    /// The tools of an upstream are others for everybody.
    fn changed(&self, name: &Name) {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().filter(|((_, of), _)| of == name).for_each(|(_, room)| room.shelf.forget());
        // Nobody may be listening.
        let _ = self.news.send(None);
    }

    /// Every upstream.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn list(&self) -> anyhow::Result<Vec<(Name, Target)>> {
        Ok(self.book()?.all().into_iter().map(|(name, entry)| (name, entry.target)).collect())
    }

    /// Removes an upstream with its login, and hangs up.
    ///
    /// # Errors
    /// There is none of this name, its login cannot be forgotten, or it cannot be written down.
    pub async fn remove(&self, name: &Name) -> anyhow::Result<()> {
        if let Ok(login) = self.login(name) {
            login.forget().await?;
        }
        let gone = self.book()?.change(|all| all.remove(name))?;
        let closed: Vec<Arc<Room>> = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.extract_if(|(_, of), _| of == name).map(|(_, room)| room).collect()
        };
        for room in closed {
            room.hang_up().await;
        }
        // A login that was begun before this keeps nothing after it.
        let closed = self.logins.close(name).await;
        self.changed(name);
        gone.with_context(|| format!("there is no upstream {name}"))?;
        closed
    }

    /// This agent's side of an upstream; none if there is no such upstream.
    fn room(&self, agent: &AgentName, name: &Name) -> Option<Arc<Room>> {
        // What is removed leaves the book before its rooms are closed, so none is made behind the back of whoever removes it.
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = self.book.as_ref().ok()?.get(name)?;
        let login = self.login(name).ok();
        let room = rooms
            .entry((agent.clone(), name.clone()))
            .or_insert_with(|| Arc::new(Room::new(name.clone(), entry.target, self.wire.clone(), login)));
        Some(room.clone())
    }

    /// Those of these tools that the person agreed to. The first list of all is what they agreed to; every other tool, and every
    /// changed one, is put to them and hidden until they say yes.
    async fn agreed(self: &Arc<Self>, name: &Name, tools: Vec<Tool>, last: bool) -> Vec<Tool> {
        let Ok(book) = self.book() else { return Vec::new() };
        let sorted = book.change(|all| {
            let pins = &mut all.get_mut(name)?.pins;
            Some((pins.sort(tools, last), pins.clone()))
        });
        let Ok(Some(((kept, other), pins))) = sorted else { return Vec::new() };
        self.ask_about(name, &pins, other);
        kept
    }

    /// Whether this is worse for the person than what the tool took before.
    fn is_new(&self, name: &Name, tool: &str, now: &Taken) -> bool {
        let entry = self.book().ok().and_then(|book| book.get(name));
        let before = entry.as_ref().and_then(|entry| entry.pins.terms.get(tool));
        before.is_some_and(|before| now.is_new(before))
    }

    /// The tool is being paid this.
    fn paid(&self, name: &Name, tool: &str, taken: Taken) {
        let written = self.book().and_then(|book| {
            book.change(|all| {
                let Some(entry) = all.get_mut(name) else { return };
                taken.pin(entry.pins.terms.entry(tool.to_owned()).or_default());
            })
        });
        if let Err(error) = written {
            tracing::warn!(error = format!("{error:#}"), "the terms of a paid tool could not be written down");
        }
    }
}
