//! Carries Countersign's questions to the person at the terminal, or to the script, and the answers back.

use std::io::{BufRead, Write};
use std::process::ChildStdin;

use anyhow::Result;
use serde_json::Value;

use super::Answers;

/// One conversation about the questions of one run.
pub struct Desk {
    answers: Answers,
    to_app: ChildStdin,
    open: Option<String>,
    asked: usize,
    said_yes: bool,
}

impl Desk {
    /// Answers go to `to_app`.
    pub fn new(answers: Answers, to_app: ChildStdin) -> Self {
        Self { answers, to_app, open: None, asked: 0, said_yes: false }
    }

    /// Whether a question was answered with yes here; a window's answer is not known here.
    pub fn said_yes(&self) -> Option<bool> {
        (self.answers != Answers::Window).then_some(self.said_yes)
    }

    /// Takes one line of Countersign's: tells what it says, and answers it when the script must.
    pub fn hear(&mut self, line: &str) -> Result<()> {
        let Ok(said) = serde_json::from_str::<Value>(line) else {
            println!("countersign: {line}");
            return Ok(());
        };
        match said["event"].as_str() {
            Some("question") => self.question(&said),
            Some("answered") => {
                println!("countersign: the answer was {}", words(&said["answer"]));
                self.open = None;
                Ok(())
            }
            Some("policy_changed") => {
                println!("countersign: the policy was changed while nothing ran; that is the pinned seller");
                Ok(())
            }
            _ => {
                println!("countersign: {line}");
                Ok(())
            }
        }
    }

    /// Takes one line the person typed.
    pub fn person(&mut self, line: &str) -> Result<()> {
        match (line.trim().to_lowercase().as_str(), self.open.is_some()) {
            ("", _) => Ok(()),
            (_, false) => {
                println!("  (no question is open)");
                Ok(())
            }
            ("y" | "yes", true) => self.answer(true),
            ("n" | "no", true) => self.answer(false),
            (_, true) => {
                println!("  Answer with y or n:");
                Ok(())
            }
        }
    }

    fn question(&mut self, said: &Value) -> Result<()> {
        self.asked = self.asked.saturating_add(1);
        println!();
        println!("  QUESTION  {} wants to pay {}", words(&said["agent"]), words(&said["amount"]));
        println!("            to     {}", words(&said["payee"]));
        println!("            why    {}", words(&said["why"]));
        println!("            until  {}", words(&said["expires_at"]));
        self.open = said["payment_id"].as_str().map(str::to_owned);
        match self.answers {
            Answers::Window => println!("  Answer it in the window."),
            Answers::Person => println!("  Pay? y or n:"),
            Answers::Script => {
                let yes = self.asked == 1;
                println!("  Nobody is here; the script answers: {}", if yes { "yes" } else { "no" });
                return self.answer(yes);
            }
        }
        Ok(())
    }

    fn answer(&mut self, yes: bool) -> Result<()> {
        if let Some(payment) = self.open.take() {
            self.said_yes |= yes;
            writeln!(self.to_app, "{} {payment}", if yes { 'y' } else { 'n' })?;
        }
        Ok(())
    }
}

/// Hands every line of our stdin to `hear` while that says true, on a thread that ends with the process.
pub fn listen(hear: impl Fn(String) -> bool + Send + 'static) {
    std::thread::spawn(move || std::io::stdin().lock().lines().map_while(Result::ok).all(hear));
}

/// A JSON value for people: text as it is, lists with commas, objects as their values.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields.values().map(words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_without_brackets() {
        assert_eq!(words(&json!({"amount": "4.20", "symbol": "USDC"})), "4.20 USDC");
        assert_eq!(words(&json!(["ask-above", "first-payee"])), "ask-above, first-payee");
    }
}
