//! The ledger as the rest of the crate holds it: a queue to the writer, a reading connection, the view.

use futures_channel::oneshot;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use super::{
    anchor::{Keeper, Names},
    backup::{self, BackupError, Checked},
    chain::MacKey,
    db::{self, Bad},
    job::Job,
    place::Place,
    shared::{Marks, Mode, Shared, View},
    start::{self, Life, Started},
    tx::{Stop, Tx},
    verify,
    writer::{Message, Writer},
};
use crate::{
    config::VerifyReport,
    error::{OpenError, VaultError},
    keys::Keys,
    open::Open,
};

/// Requests that may be queued.
const QUEUE: usize = 1024;

/// A running ledger. Dropping it flushes, checkpoints and frees the data directory, in this order.
pub(crate) struct Ledger {
    pub shared: Arc<Shared>,
    queue: SyncSender<Message>,
    keeper: Arc<Keeper>,
    names: Names,
    threads: Mutex<Threads>,
    reader: Mutex<Option<Connection>>,
    /// Held until everything else is gone.
    place: Place,
}

#[derive(Default)]
struct Threads {
    writer: Option<JoinHandle<()>>,
    check: Option<(JoinHandle<()>, rusqlite::InterruptHandle)>,
}

impl Ledger {
    /// Takes the data directory, checks what is there and starts the writer.
    pub fn open(open: Open) -> Result<Self, OpenError> {
        let place = Place::take(&open.dir)?;
        let names = Names::of(place.dir());
        if place.loose.is_none() {
            backup::mend(&place, &names, &open.keys).map_err(|error| OpenError::HalfRestored {
                dir: place.dir().display().to_string(),
                why: error.to_string(),
            })?;
        }
        let (queue, messages) = sync_channel(QUEUE);
        #[cfg(feature = "faults")]
        crate::faults::install(open.faults.clone());
        let shared = Arc::new(Shared {
            boot_id: open.clock.boot_id(),
            used: AtomicI64::new(open.clock.boot_ms()),
            clock: open.clock,
            keys: open.keys,
            registry: open.registry,
            config_text: open.config_text,
            limits: open.limits,
            accept_unconfirmed: open.accept_unconfirmed,
            min_free_bytes: open.min_free_bytes,
            ledger: place.ledger(),
            marks: Arc::new(Marks::new(queue.clone())),
            view: RwLock::new(Arc::new(View::closed(Mode::Ready))),
            locked: AtomicBool::new(false),
            last: AtomicI64::new(i64::MIN),
            #[cfg(feature = "faults")]
            faults: open.faults,
        });
        let mut life = Life {
            names: names.clone(),
            first_policy: open.first_policy,
            loose: place.loose.clone(),
            epoch: None,
            clocks: None,
        };
        let started = match start::start(&shared, &mut life, false) {
            Ok((started, view)) => {
                shared.publish(view);
                started
            }
            Err(bad) => {
                let mode = start::refused(bad)?;
                shared.publish(closed(&shared, mode));
                None
            }
        };
        #[cfg(feature = "faults")]
        crate::faults::install(None);
        let failed =
            |what: &str, error: std::io::Error| OpenError::Io { path: what.to_owned(), why: error.to_string() };
        let keeper = Arc::new(Keeper::start(shared.keys.clone(), names.clone()).map_err(|e| failed("a thread", e))?);
        let ledger = Self {
            reader: Mutex::new(None),
            threads: Mutex::default(),
            shared: Arc::clone(&shared),
            queue,
            keeper: Arc::clone(&keeper),
            names,
            place,
        };
        let checked = started.as_ref().map(|s| s.key.clone());
        ledger.spawn(Writer::new(shared, keeper, started, life, messages)).map_err(|e| failed("a thread", e))?;
        if let Some(key) = checked {
            ledger.check_in_background(key);
        }
        Ok(ledger)
    }

    fn spawn(&self, writer: Writer) -> std::io::Result<()> {
        if let Some(Started { mem, confirmed, .. }) = &writer.open {
            self.keeper.note(super::anchor::Anchor::new(mem.head, *confirmed), true);
        }
        let thread = std::thread::Builder::new().name("countersign-ledger".into()).spawn(move || writer.run())?;
        self.threads().writer = Some(thread);
        Ok(())
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole file and the whole chain, beside the work; a fault stops signing.
    fn check_in_background(&self, key: MacKey) {
        #[cfg(feature = "faults")]
        if self.shared.faults.as_ref().is_some_and(|faults| faults.looks_no_key_up()) {
            return;
        }
        let Ok(conn) = db::open_reader(&self.shared.ledger) else { return };
        let handle = conn.get_interrupt_handle();
        let queue = self.queue.clone();
        let work = move || match verify::whole(&conn, &key) {
            Ok(report) => {
                if let Some(fault) = report.faults.first() {
                    tracing::error!(fault, "ledger.check_failed");
                    queue.send(Message::Broken(fault.clone())).ok();
                }
            }
            Err(Stop::Sql(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {}
            Err(stop) => {
                tracing::error!(?stop, "ledger.check_failed");
                queue.send(Message::Broken(Bad::from(stop).mode().why())).ok();
            }
        };
        if let Ok(thread) = std::thread::Builder::new().name("countersign-check".into()).spawn(work) {
            self.threads().check = Some((thread, handle));
        }
    }

    /// Runs a request in the writer's transaction; answered after its commit.
    pub async fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, VaultError> {
        self.submit(false, run).await
    }

    /// The same for changes of policy, agents, wallets and pauses: commits alone, and the view follows.
    pub async fn change<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, VaultError> {
        self.submit(true, run).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        alone: bool,
        run: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (job, answer) = Job::new(alone, run);
        self.send(Message::Job(job))?;
        answer.await.map_err(|_| VaultError::Storage("Countersign is closing".into()))?
    }

    /// Starts over with a key store that may be open again, or without a history that is lost.
    pub async fn restart(&self, accept_lost: bool) -> Result<(), VaultError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Restart(accept_lost, reply))?;
        answer.await.map_err(|_| VaultError::Storage("Countersign is closing".into()))?
    }

    /// Tries a locked key store, now and then.
    pub async fn knock(&self) -> Result<(), VaultError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Knock(reply))?;
        answer.await.map_err(|_| VaultError::Storage("Countersign is closing".into()))?
    }

    fn send(&self, message: Message) -> Result<(), VaultError> {
        self.queue.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => VaultError::Busy,
            TrySendError::Disconnected(_) => VaultError::Storage("Countersign is closing".into()),
        })
    }

    /// Reads the last committed state, all of it as of one moment.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Stop>) -> Result<T, VaultError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.is_none() {
            *reader = Some(db::open_reader(&self.shared.ledger).map_err(|e| VaultError::Storage(e.to_string()))?);
        }
        let Some(conn) = reader.as_ref() else { return Err(VaultError::Storage("the ledger is closed".into())) };
        let result = one_moment(conn).and_then(|()| read(conn));
        conn.prepare_cached("COMMIT").and_then(|mut end| end.execute([])).ok();
        if matches!(result, Err(Stop::Sql(_))) || !conn.is_autocommit() {
            *reader = None;
        }
        result.map_err(told)
    }

    /// The same on a connection of its own, so that no payment waits for a long look back. Blocks.
    pub fn look_back<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Stop>) -> Result<T, VaultError> {
        let conn = db::open_reader(&self.shared.ledger).map_err(|e| VaultError::Storage(e.to_string()))?;
        one_moment(&conn).and_then(|()| read(&conn)).map_err(told)
    }

    /// The full check, on its own connection. Blocks.
    pub fn verify(&self) -> Result<VerifyReport, VaultError> {
        let secret = self.keys().secret(&self.names.key).map_err(|_| VaultError::Locked)?;
        let key = secret
            .and_then(|s| MacKey::new(s.expose()))
            .ok_or_else(|| VaultError::Storage("the guard key is missing".into()))?;
        let conn = db::open_reader(&self.shared.ledger).map_err(|e| VaultError::Storage(e.to_string()))?;
        verify::whole(&conn, &key).map_err(told)
    }

    /// What a backup holds. Blocks.
    pub fn check_backup(&self, file: &Path) -> Result<Checked, BackupError> {
        backup::check(self.place.dir(), self.keys(), file)
    }

    fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// Writes the anchor as soon as possible.
    pub fn hurry(&self) {
        self.keeper.hurry();
    }

    /// Flushes and ends the threads. Later requests are answered with an error.
    pub fn stop(&self) {
        let Threads { writer, check } = std::mem::take(&mut *self.threads());
        if let Some((thread, handle)) = check {
            handle.interrupt();
            thread.join().ok();
        }
        // A reader that stays open would keep the last checkpoint from emptying the log.
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(writer) = writer {
            self.queue.send(Message::Stop).ok();
            writer.join().ok();
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.stop();
    }
}

fn told(stop: Stop) -> VaultError {
    match stop {
        Stop::Told(error) => error,
        Stop::Sql(error) => VaultError::Storage(error.to_string()),
    }
}

fn one_moment(conn: &Connection) -> Result<(), Stop> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    Ok(())
}

/// What may be looked at when nothing may be written.
fn closed(shared: &Shared, mode: Mode) -> View {
    let read = db::open_reader(&shared.ledger).ok().and_then(|conn| super::state::view(&conn, shared).ok());
    let mut view = read.unwrap_or_else(|| View::closed(mode.clone()));
    view.mode = mode;
    view
}
