//! The tray's menu and icon as data: what is known in, lines and an icon's state out.

use countersign_core::money::Micro;

use super::super::{
    preferences::Language,
    words::{Word, Words},
};

/// Most questions with a line of their own.
const LISTED: usize = 3;

/// One thing the menu does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Opens the main window on this page.
    Page(&'static str),
    /// Brings the question to the front.
    Questions,
    /// Pauses everything for an hour, or leaves a longer pause.
    PauseHour,
    /// Pauses everything until resumed.
    PauseOpen,
    /// Opens the main window, where a pause can be ended.
    Resume,
    /// Ends the app; what waits is refused.
    Quit,
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Says something and does nothing.
    Said(String),
    /// Does something.
    Does(Act, String),
    /// A rule between two groups.
    Rule,
}

/// What the tray knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Items waiting for the person.
    pub waiting: usize,
    /// Those of them that are payments, as `who wants to pay what to whom`, oldest first.
    pub questions: Vec<String>,
    /// All payments are stopped.
    pub paused: bool,
    /// Spent today in real money; none while it is not known.
    pub spent: Option<Micro>,
    /// What may be spent in a day, if that is limited.
    pub limit: Option<Micro>,
    /// What both are counted in.
    pub reference: String,
    /// The language it is drawn in.
    pub language: Language,
}

/// The icon's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Nothing to do.
    Idle,
    /// Somebody waits for an answer.
    Asking,
    /// All payments are stopped.
    Paused,
}

impl Look {
    /// The menu, top to bottom.
    pub fn menu(&self, words: &Words) -> Vec<Line> {
        let does = |act, word| Line::Does(act, words.say(word, &[]));
        let mut lines = vec![Line::Said(self.spent_line(words)), Line::Rule];
        let count = self.waiting.to_string();
        lines.push(match self.waiting {
            0 => Line::Said(words.say(Word::NoQuestions, &[])),
            1 => Line::Does(Act::Questions, words.say(Word::OneQuestion, &[])),
            _ => Line::Does(Act::Questions, words.say(Word::Questions, &[("n", &count)])),
        });
        lines.extend(self.questions.iter().take(LISTED).map(|text| Line::Does(Act::Questions, text.clone())));
        lines.push(Line::Rule);
        if self.paused {
            lines.extend([Line::Said(words.say(Word::Paused, &[])), does(Act::Resume, Word::Resume)]);
        }
        lines.extend([
            does(Act::PauseHour, Word::PauseHour),
            does(Act::PauseOpen, Word::PauseOpen),
            Line::Rule,
            does(Act::Page(""), Word::Open),
            does(Act::Page("activity"), Word::Activity),
            does(Act::Page("limits"), Word::Limits),
            does(Act::Page("agents"), Word::Agents),
            does(Act::Page("wallets"), Word::Wallets),
            does(Act::Page("settings"), Word::Settings),
            Line::Rule,
            does(Act::Quit, Word::Quit),
        ]);
        lines
    }

    fn spent_line(&self, words: &Words) -> String {
        let money = |micro: Micro| format!("{micro} {}", self.reference);
        let spent = self.spent.map_or_else(|| "…".to_owned(), money);
        match self.limit {
            Some(limit) => words.say(Word::SpentOf, &[("amount", &spent), ("limit", &money(limit))]),
            None => words.say(Word::Spent, &[("amount", &spent)]),
        }
    }

    /// The icon. A question is shown before a pause.
    pub const fn icon(&self) -> Icon {
        if self.waiting > 0 {
            Icon::Asking
        } else if self.paused {
            Icon::Paused
        } else {
            Icon::Idle
        }
    }

    /// What stands beside the icon: how many wait.
    pub fn count(&self) -> Option<String> {
        (self.waiting > 0).then(|| self.waiting.to_string())
    }
}

impl Icon {
    /// What it is called.
    pub const fn word(self) -> Word {
        match self {
            Self::Idle => Word::TipIdle,
            Self::Asking => Word::TipAsking,
            Self::Paused => Word::TipPaused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::preferences::{Kept, Preferences};
    use std::sync::Arc;

    fn words(language: Language) -> (tempfile::TempDir, Words) {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::read(dir.path());
        kept.keep(Preferences { language, ..Preferences::default() }).unwrap();
        (dir, Words::new(Arc::new(kept)))
    }

    fn drawn(look: &Look, language: Language) -> String {
        let (_dir, words) = words(language);
        let line = |line| match line {
            Line::Said(text) => format!("  {text}\n"),
            Line::Does(_, text) => format!("> {text}\n"),
            Line::Rule => "--\n".to_owned(),
        };
        look.menu(&words).into_iter().map(line).collect()
    }

    fn asking() -> Look {
        Look {
            waiting: 4,
            questions: (1..=4).map(|n| format!("researcher wants to pay {n}.00 USD to api.example")).collect(),
            paused: true,
            spent: Some(Micro(1_200_000)),
            limit: Some(Micro(20_000_000)),
            reference: "USD".to_owned(),
            language: Language::System,
        }
    }

    #[test]
    fn the_menu_of_a_quiet_day() {
        let look = Look { spent: Some(Micro(0)), reference: "USD".to_owned(), ..Look::default() };
        assert_eq!(
            drawn(&look, Language::English),
            "  Spent today: 0.00 USD\n--\n  No questions waiting\n--\n> Pause for 1 hour\n> Pause until resumed\n--\n\
             > Open Countersign\n> Activity\n> Limits\n> Agents\n> Wallets\n> Settings\n--\n> Quit\n"
        );
    }

    #[test]
    fn the_menu_while_paused_with_questions_in_both_languages() {
        assert_eq!(
            drawn(&asking(), Language::English),
            "  Spent today: 1.20 USD of 20.00 USD\n--\n> 4 questions waiting\n\
             > researcher wants to pay 1.00 USD to api.example\n> researcher wants to pay 2.00 USD to api.example\n\
             > researcher wants to pay 3.00 USD to api.example\n--\n  Payments are paused\n> Resume in the window …\n\
             > Pause for 1 hour\n> Pause until resumed\n--\n\
             > Open Countersign\n> Activity\n> Limits\n> Agents\n> Wallets\n> Settings\n--\n> Quit\n"
        );
        let look = Look { questions: Vec::new(), waiting: 1, ..asking() };
        assert_eq!(
            drawn(&look, Language::Chinese),
            "  今日支出：1.20 USD / 20.00 USD\n--\n> 1 个问题等待处理\n--\n  付款已暂停\n> 在窗口中恢复…\n\
             > 暂停 1 小时\n> 暂停直到恢复\n--\n\
             > 打开 Countersign\n> 动态\n> 限额\n> 代理\n> 钱包\n> 设置\n--\n> 退出\n"
        );
    }

    #[test]
    fn a_question_is_shown_before_a_pause_and_counted() {
        assert_eq!((asking().icon(), asking().count().as_deref()), (Icon::Asking, Some("4")));
        assert_eq!(Look { waiting: 0, ..asking() }.icon(), Icon::Paused);
        assert_eq!((Look::default().icon(), Look::default().count()), (Icon::Idle, None));
    }
}
