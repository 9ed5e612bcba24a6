//! `cargo xtask demo`: an agent buys three things from a real seller on a local chain, and somebody decides.
//!
//! Uses a throw-away data directory. Whatever way it ends, its processes, its directory and its keyring entry are gone.

mod alipay;
mod ask;
mod keys;
mod stage;
mod story;
mod wallet;
mod world;

use std::io::IsTerminal;

use anyhow::{Result, bail};

use crate::place::Place;
use crate::{run, setup};

/// Who answers the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The approval window.
    Window,
    /// A person at this terminal.
    Person,
    /// The script printed below, as nobody is there.
    Script,
}

/// What the seller takes its money by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rail {
    /// The official x402 seller.
    X402,
    /// The official MPP server.
    Mpp,
    /// A double of Alipay's gateway; the person is the seller.
    Alipay,
}

/// Prepares, builds and plays the story.
pub fn run(place: &Place, words: &[String]) -> Result<()> {
    let (terminal_wanted, rail) = wishes(words)?;
    let answers = answers(!terminal_wanted && has_display(), std::io::stdin().is_terminal());
    println!("{}", explanation(answers));
    let window = answers == Answers::Window;
    setup::for_demo(place, window)?;
    println!("Building Countersign {} the window", if window { "with" } else { "without" });
    let mut build = place.cargo(&["build", "--package", "countersign"]);
    if !window {
        build.arg("--no-default-features");
    }
    run::shown(&mut build)?;
    match rail {
        Rail::Alipay => alipay::play(place, answers),
        Rail::X402 | Rail::Mpp => story::play(place, answers, rail),
    }
}

/// Whether the terminal is wanted, and which protocol.
fn wishes(words: &[String]) -> Result<(bool, Rail)> {
    let (mut terminal, mut rail) = (false, Rail::X402);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match (word, word.strip_prefix("--rail=")) {
            ("--terminal", _) => terminal = true,
            ("--rail", _) => rail = named(words.next().unwrap_or_default())?,
            (_, Some(name)) => rail = named(name)?,
            (other, None) => bail!("demo takes --terminal and --rail x402|mpp|alipay, not {other}"),
        }
    }
    Ok((terminal, rail))
}

fn named(rail: &str) -> Result<Rail> {
    match rail {
        "x402" => Ok(Rail::X402),
        "mpp" => Ok(Rail::Mpp),
        "alipay" => Ok(Rail::Alipay),
        other => bail!("--rail is x402, mpp or alipay, not {other:?}"),
    }
}

fn answers(display: bool, terminal: bool) -> Answers {
    match (display, terminal) {
        (true, _) => Answers::Window,
        (false, true) => Answers::Person,
        (false, false) => Answers::Script,
    }
}

fn explanation(answers: Answers) -> &'static str {
    match answers {
        Answers::Window => "There is a display: a window will ask you.",
        Answers::Person => "You will be asked here, in the terminal: answer with y or n.",
        Answers::Script => {
            "There is neither a display nor a terminal, so nobody can be asked. \
             This script answers instead: yes to the first question, no to every other."
        }
    }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_in_any_order_and_others_are_refused() -> Result<()> {
        let read = |words: &str| wishes(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read("")?, (false, Rail::X402));
        assert_eq!(read("--rail mpp --terminal")?, (true, Rail::Mpp));
        assert_eq!(read("--terminal --rail=mpp")?, (true, Rail::Mpp));
        assert_eq!(read("--rail alipay")?, (false, Rail::Alipay));
        for bad in ["--rail", "--rail stripe", "mpp", "--window"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        Ok(())
    }

    #[test]
    fn a_display_comes_before_the_terminal_and_a_person_before_the_script() {
        assert_eq!(answers(true, true), Answers::Window);
        assert_eq!(answers(true, false), Answers::Window);
        assert_eq!(answers(false, true), Answers::Person);
        assert_eq!(answers(false, false), Answers::Script);
    }
}
