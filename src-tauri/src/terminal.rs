//! Asks on the terminal: each question is printed on stdout, `y ID` and `n ID` are read from stdin. Whoever owns stdin approves.

use async_trait::async_trait;
use countersign_core::{
    approval::{Answer, Gone, Question, Said, Yes},
    payment::PaymentId,
};
use countersign_desk::{
    approver::{Approver, Change, Showing},
    event::Event,
};
use serde_json::json;
use std::{
    collections::HashMap,
    io::{BufRead as _, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{broadcast, oneshot};

/// The terminal as an approver.
#[derive(Debug, Default)]
pub struct Terminal {
    waiting: Mutex<HashMap<String, oneshot::Sender<bool>>>,
    closed: AtomicBool,
    json: bool,
}

impl Terminal {
    /// Reads answers from stdin in a thread of its own, until stdin ends.
    pub fn start(json: bool) -> Arc<Self> {
        let terminal = Arc::new(Self { json, ..Self::default() });
        let reader = terminal.clone();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                reader.line(&line);
            }
            reader.closed.store(true, Ordering::SeqCst);
            reader.lock().clear();
        });
        terminal
    }

    fn line(&self, line: &str) {
        let mut words = line.split_whitespace();
        let (yes, id) = match (words.next(), words.next(), words.next()) {
            (Some("y" | "yes"), Some(id), None) => (true, id),
            (Some("n" | "no"), Some(id), None) => (false, id),
            (None, ..) => return,
            _ => return self.say("Answer with `y ID` or `n ID`."),
        };
        match self.lock().remove(id) {
            Some(answer) => drop(answer.send(yes)),
            None => self.say(&format!("Nothing is waiting under {id}.")),
        }
    }

    fn say(&self, text: &str) {
        if !self.json {
            print_line(text);
        }
    }

    /// Listens for the answer, then prints the question: whoever answers at once is heard.
    async fn put(&self, id: &str, question: &str) -> Option<bool> {
        let (answer, heard) = oneshot::channel();
        self.lock().insert(id.to_owned(), answer);
        if self.closed.load(Ordering::SeqCst) {
            self.lock().remove(id);
        }
        let _gone = Withdraw { terminal: self, id };
        print_line(question);
        heard.await.ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<bool>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a question back when nobody waits for it any more.
struct Withdraw<'a> {
    terminal: &'a Terminal,
    id: &'a str,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        self.terminal.lock().remove(self.id);
    }
}

#[async_trait]
impl Approver for Terminal {
    fn reachable(&self) -> bool {
        !self.closed.load(Ordering::SeqCst)
    }

    async fn ask(&self, showing: Showing) -> Answer {
        let payment = showing.question.payment_id.clone();
        let question = if self.json { question_event(&showing.question) } else { question_text(&showing.question) };
        match self.put(payment.as_str(), &question).await {
            Some(true) => {
                Answer::Yes(Yes { payment, display_hash: showing.display_hash(), through: "terminal".to_owned() })
            }
            Some(false) => Answer::No,
            None => Answer::Gone(Gone::Quit),
        }
    }

    async fn confirm(&self, change: Change) -> bool {
        let question = if self.json {
            json!({"event": "change", "change_id": change.id, "title": change.title.to_string(), "lines": texts(&change.lines)}).to_string()
        } else {
            format!(
                "\n{}\n{}\n  y {id}   or   n {id}",
                change.title,
                texts(&change.lines).iter().map(|l| format!("  · {l}")).collect::<Vec<_>>().join("\n"),
                id = change.id
            )
        };
        self.put(&change.id, &question).await == Some(true)
    }

    fn outcome(&self, payment: &PaymentId, state: &str, detail: Option<Said>) {
        if let Some(detail) = detail {
            self.say(&format!("{payment}: {state} ({detail})"));
        }
    }
}

/// Prints what happens beside the questions: how they ended, and payments that went through by themselves.
pub async fn print_events(mut events: broadcast::Receiver<Event>, json: bool) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the terminal could not keep up; `countersign history` has everything");
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        match (event, json) {
            (Event::Answered { payment, answer }, true) => {
                print_line(&json!({"event": "answered", "payment_id": payment, "answer": answer}).to_string())
            }
            (Event::Answered { payment, answer }, false) => print_line(&format!("{payment}: {answer}")),
            (Event::Silent { payment, agent, amount, .. }, false) => {
                print_line(&format!("{agent} paid {amount} without asking ({payment})"))
            }
            _ => {}
        }
    }
}

fn texts(lines: &[Said]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

fn question_event(q: &Question) -> String {
    let amount = q.amount_fiat.as_ref().unwrap_or(&q.amount_asset);
    json!({
        "event": "question", "payment_id": q.payment_id, "agent": q.agent, "program": q.program.to_string(), "payee": format!("{} {}", q.payee_origin, q.payee_account),
        "amount": amount, "terms": q.amount_terms.to_string(), "why": q.why_asked.to_string(),
        "warnings": q.warnings.iter().map(|w| w.text.to_string()).collect::<Vec<_>>(), "expires_at": q.expires_at.rfc3339(),
    })
    .to_string()
}

fn question_text(q: &Question) -> String {
    let claim = if q.payee_claimed { "the agent says: " } else { "" };
    let mut lines = vec![
        String::new(),
        format!("{} wants to pay {}", q.agent, q.amount_fiat.as_ref().unwrap_or(&q.amount_asset)),
        format!("  to      {claim}{}  ({})", q.payee_host, q.payee_history),
        format!("          {}", q.payee_account),
        format!("  amount  {} · {}", q.amount_asset, q.amount_terms),
        format!("  for     {}", q.resource),
        format!("  asked   by {} · {}", q.agent, q.program),
    ];
    if let Some(says) = &q.agent_says {
        lines.push(format!("  the agent says: {says:?}"));
    }
    lines.push(format!("  asked because {} (rule {})", q.why_asked, q.rule));
    lines.extend(q.warnings.iter().map(|w| format!("  ! {}", w.text)));
    lines.push(format!("  y {id}   or   n {id}", id = q.payment_id));
    lines.join("\n")
}

fn print_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Refuses every question at once: `--approver deny`.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

#[async_trait]
impl Approver for Nobody {
    fn reachable(&self) -> bool {
        false
    }

    async fn ask(&self, _showing: Showing) -> Answer {
        Answer::Silence
    }

    async fn confirm(&self, _change: Change) -> bool {
        false
    }

    fn outcome(&self, _payment: &PaymentId, _state: &str, _detail: Option<Said>) {}
}
