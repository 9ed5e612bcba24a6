//! Notifications: one for each question, one an agent and minute for what went through by itself, one an
//! hour for what it failed for. Never an agent's words.
//!
//! Their only action opens a window: any program on the bus can claim that it was clicked.

use countersign_core::{approval::Question, money::Micro};
use countersign_desk::event::{Event, Lack};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::broadcast::error::RecvError, time::MissedTickBehavior};

use super::{
    Shell,
    words::{Word, Words},
};
use crate::backup::staged::Outcome;

const MINUTE: Duration = Duration::from_secs(60);

/// What one agent paid by itself since the last summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quiet {
    count: u64,
    value: Micro,
    without_value: u64,
}

/// Everything since the last summary, by agent.
#[derive(Debug, Default)]
pub struct Quietly(BTreeMap<String, Quiet>);

impl Quietly {
    /// Counts one payment, exactly once.
    pub fn add(&mut self, agent: &str, micros: Option<u128>) {
        let quiet = self.0.entry(agent.to_owned()).or_default();
        quiet.count = quiet.count.saturating_add(1);
        match micros {
            Some(micros) => quiet.value = Micro(quiet.value.0.saturating_add(micros)),
            None => quiet.without_value = quiet.without_value.saturating_add(1),
        }
    }

    /// One text an agent; the count begins anew.
    pub fn take(&mut self, words: &Words, reference: &str) -> Vec<String> {
        std::mem::take(&mut self.0).into_iter().map(|(agent, quiet)| quiet.text(words, &agent, reference)).collect()
    }
}

impl Quiet {
    fn text(&self, words: &Words, agent: &str, reference: &str) -> String {
        let (n, value, unknown) =
            (self.count.to_string(), format!("{} {reference}", self.value), self.without_value.to_string());
        let word = if self.count == 1 { Word::SilentOne } else { Word::SilentMany };
        let mut text = words.say(word, &[("agent", agent), ("n", &n), ("value", &value)]);
        if self.without_value > 0 {
            text.push_str(&words.say(Word::SilentUnknown, &[("n", &unknown)]));
        }
        text
    }
}

/// Notifies until the desk is gone.
pub async fn follow(shell: Arc<Shell>) {
    let mut events = shell.desk.events();
    let mut quietly = Quietly::default();
    let mut minute = tokio::time::interval(MINUTE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let server = Arc::new(Server { shell: shell.clone(), missing: AtomicBool::new(false) });
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::Asked(question)) => {
                    shell.lacking.covered(&question.agent);
                    server.clone().show(Word::Asks, question_text(&shell.words, &question), Leads::Question);
                }
                Ok(Event::Silent { agent, micros, .. }) => {
                    shell.lacking.covered(&agent);
                    if shell.preferences.now().tells(micros) {
                        quietly.add(&agent, micros);
                    }
                }
                Ok(Event::Lacking { agent, lack }) => {
                    if shell.lacking.note(&agent, &lack, Instant::now(), shell.desk.now()) {
                        let (text, leads) = lack_text(&shell.words, &agent, lack);
                        server.clone().show(Word::Lacks, text, leads);
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "notifications could not keep up; the ledger has everything"),
                Err(RecvError::Closed) => return,
            },
            _ = minute.tick() => for text in quietly.take(&shell.words, shell.desk.registry().reference()) {
                server.clone().show(Word::Silent, text, Leads::Nowhere);
            },
        }
    }
}

/// Says something of Countersign itself; a click opens the main window. `shown` runs once the notification went out, else never.
pub fn say(shell: Arc<Shell>, title: Word, text: Word, shown: impl FnOnce() + Send + 'static) {
    say_of(shell, title, text, "activity", shown);
}

/// Says what came of restoring a backup; a click opens the page that says more.
pub fn restored(shell: Arc<Shell>, told: &Outcome) {
    let (title, text) = match (told.restored, told.whole) {
        (true, true) => (Word::Restored, Word::RestoredMore),
        (true, false) => (Word::Restored, Word::RestoredPartly),
        _ => (Word::NotRestored, Word::NotRestoredMore),
    };
    say_of(shell, title, text, "settings", || {});
}

fn say_of(shell: Arc<Shell>, title: Word, text: Word, page: &str, shown: impl FnOnce() + Send + 'static) {
    let (text, leads) = (shell.words.say(text, &[]), Leads::Page(Word::Open, page.to_owned()));
    Arc::new(Server { shell, missing: AtomicBool::new(false) }).show_then(title, text, leads, shown);
}

/// Our own words, the paired name, the amount from our registry, the host that is paid.
pub fn question_text(words: &Words, question: &Question) -> String {
    let amount = question.amount_fiat.as_ref().unwrap_or(&question.amount_asset);
    let word = if question.payee_claimed { Word::WantsClaimed } else { Word::Wants };
    words.say(word, &[("agent", &question.agent), ("amount", amount), ("host", &question.payee_host)])
}

/// What failed, and where it is put right. Opening the window unlocks nothing.
fn lack_text(words: &Words, agent: &str, lack: Lack) -> (String, Leads) {
    let (word, act, page) = match lack {
        Lack::Key => (Word::LacksKey, Word::Unlock, "wallets".to_owned()),
        Lack::Money(address) => (Word::LacksMoney, Word::AddMoney, format!("wallets/money:{address}")),
    };
    (words.say(word, &[("agent", agent)]), Leads::Page(act, page))
}

/// What a click on a notification opens.
enum Leads {
    Question,
    /// A page of the main window, under this word.
    Page(Word, String),
    Nowhere,
}

struct Server {
    shell: Arc<Shell>,
    missing: AtomicBool,
}

impl Server {
    fn show(self: Arc<Self>, title: Word, body: String, leads: Leads) {
        self.show_then(title, body, leads, || {});
    }

    /// Shows it from a thread of its own: the server may take its time, and a click may come much later.
    fn show_then(self: Arc<Self>, title: Word, body: String, leads: Leads, then: impl FnOnce() + Send + 'static) {
        let title = self.shell.words.say(title, &[]);
        let spawned = std::thread::Builder::new().name("notification".to_owned()).spawn(move || {
            let mut notification = notify_rust::Notification::new();
            notification
                .appname("Countersign")
                .summary(&title)
                .body(&plain(&body))
                .timeout(notify_rust::Timeout::Milliseconds(120_000));
            #[cfg(all(unix, not(target_os = "macos")))]
            match &leads {
                Leads::Question => {
                    notification.action("show", &self.shell.words.say(Word::Show, &[]));
                    if self.shell.preferences.now().sound {
                        notification.sound_name("dialog-question");
                    }
                }
                Leads::Page(act, _) => drop(notification.action("show", &self.shell.words.say(*act, &[]))),
                Leads::Nowhere => {}
            }
            let sent = notification.show();
            if sent.is_ok() {
                then();
            }
            match sent {
                #[cfg(all(unix, not(target_os = "macos")))]
                Ok(shown) if !matches!(leads, Leads::Nowhere) => shown.wait_for_action(|action| match leads {
                    Leads::Question if action == "show" => self.shell.windows.present(),
                    Leads::Page(_, page) if action == "show" => self.shell.windows.main(Some(page)),
                    _ => {}
                }),
                Ok(_) => {}
                Err(error) => {
                    if !self.missing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "notifications cannot be shown; the window and the tray still ask");
                    }
                }
            }
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "a notification could not be shown");
        }
    }
}

/// Servers read markup in a body.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::preferences::Kept;

    #[test]
    fn each_payment_is_in_exactly_one_summary() {
        let words = Words::new(Arc::new(Kept::read(std::path::Path::new("/nonexistent"))));
        let mut quietly = Quietly::default();
        for _ in 0..42 {
            quietly.add("researcher", Some(10_000));
        }
        quietly.add("other", None);
        assert_eq!(
            quietly.take(&words, "USD"),
            ["other: 1 payment, 0.00 USD and 1 without a known value", "researcher: 42 payments, 0.42 USD"]
        );
        assert!(quietly.take(&words, "USD").is_empty());
    }

    #[test]
    fn what_a_payment_lacked_leads_to_where_it_is_put_right() {
        let words = Words::new(Arc::new(Kept::read(std::path::Path::new("/nonexistent"))));
        let told = |lack: Lack| match lack_text(&words, "researcher", lack) {
            (text, Leads::Page(act, page)) => (text, words.say(act, &[]), page),
            _ => panic!("it leads nowhere"),
        };
        let locked = ("researcher could not pay: your wallets are locked.", "Unlock", "wallets");
        let (text, act, page) = told(Lack::Key);
        assert_eq!((text.as_str(), act.as_str(), page.as_str()), locked);
        let empty = ("researcher could not pay: the wallet holds too little.", "Add money", "wallets/money:0x1");
        let (text, act, page) = told(Lack::Money("0x1".to_owned()));
        assert_eq!((text.as_str(), act.as_str(), page.as_str()), empty);
    }

    #[test]
    fn markup_is_shown_and_not_read() {
        assert_eq!(plain("<b>a</b> & b"), "&lt;b&gt;a&lt;/b&gt; &amp; b");
    }
}
