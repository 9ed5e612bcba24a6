//! The one thread that owns a store.
//!
//! A keyring may block behind a prompt, panic on a foreign runtime's worker and poison its own locks: it gets a thread of
//! its own, every caller waits a limited time, and a call nobody waits for any more is not begun.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{KeyStore, KeyStoreError, KeysError, StoreState, locked::then_scrub};

type Job = Box<dyn FnOnce(&dyn KeyStore) + Send>;

pub(super) struct StoreThread {
    jobs: Sender<Job>,
    kind: &'static str,
    limit: Duration,
    state: Arc<Mutex<StoreState>>,
}

impl StoreThread {
    /// Starts the thread; it ends when this value is dropped and the running call is over.
    pub(super) fn start(store: Box<dyn KeyStore>, limit: Duration) -> Self {
        let kind = store.kind();
        let (jobs, queue) = channel::<Job>();
        let run = move || queue.into_iter().for_each(|job| job(&*store));
        if let Err(error) = thread::Builder::new().name("countersign-keys".into()).spawn(run) {
            // The queue is gone with the closure: every call answers `Failed`.
            tracing::error!(%error, "keys.thread_not_started");
        }
        Self { jobs, kind, limit, state: Arc::new(Mutex::new(StoreState::Unknown)) }
    }

    /// Runs `work` on the store's thread and waits for it, up to the limit.
    pub(super) fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn KeyStore) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeysError> {
        let (answer, answered) = sync_channel(1);
        let abandoned = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&abandoned);
        let job = Box::new(move |store: &dyn KeyStore| {
            if gone.load(Ordering::Acquire) {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| then_scrub(|| work(store))))
                .unwrap_or_else(|_| Err(KeyStoreError::Failed("it broke down inside".into())));
            answer.send(result).ok();
        });
        let stopped = || KeyStoreError::Failed("its thread has ended".into());
        let result = match self.jobs.send(job) {
            Err(_) => Err(stopped()),
            Ok(()) => match answered.recv_timeout(self.limit) {
                Ok(result) => result,
                Err(RecvTimeoutError::Disconnected) => Err(stopped()),
                Err(RecvTimeoutError::Timeout) => {
                    abandoned.store(true, Ordering::Release);
                    self.note(StoreState::Locked);
                    return Err(KeysError::Slow(self.limit));
                }
            },
        };
        self.note(match &result {
            Ok(_) => StoreState::Available,
            Err(KeyStoreError::Locked) => StoreState::Locked,
            Err(KeyStoreError::Absent(_)) => StoreState::Absent,
            Err(KeyStoreError::NoCollection) => StoreState::NoCollection,
            Err(_) => StoreState::Faulty,
        });
        Ok(result?)
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn state(&self) -> StoreState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, state: StoreState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
