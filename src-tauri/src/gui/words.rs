//! The core's own words, in the languages of the windows and from the same catalogues: tray and notifications.

use countersign_core::approval::fill;
use serde_json::{Map, Value};
use std::sync::Arc;

use super::preferences::{Kept, Language};

/// One sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Spent,
    SpentOf,
    NoQuestions,
    OneQuestion,
    Questions,
    Wants,
    /// To a host that is only what the agent says.
    WantsClaimed,
    PauseHour,
    PauseOpen,
    Paused,
    Resume,
    Open,
    Activity,
    Limits,
    Agents,
    Wallets,
    Settings,
    Quit,
    TipIdle,
    TipAsking,
    TipPaused,
    Asks,
    Show,
    Silent,
    SilentOne,
    SilentMany,
    SilentUnknown,
    Lacks,
    LacksKey,
    LacksMoney,
    Unlock,
    AddMoney,
    NoTray,
    NoTrayMore,
    KeepsRunning,
    KeepsRunningMore,
    Restored,
    RestoredMore,
    RestoredPartly,
    NotRestored,
    NotRestoredMore,
}

impl Word {
    #[cfg(test)]
    const ALL: [Self; 41] = [
        Self::Spent,
        Self::SpentOf,
        Self::NoQuestions,
        Self::OneQuestion,
        Self::Questions,
        Self::Wants,
        Self::WantsClaimed,
        Self::PauseHour,
        Self::PauseOpen,
        Self::Paused,
        Self::Resume,
        Self::Open,
        Self::Activity,
        Self::Limits,
        Self::Agents,
        Self::Wallets,
        Self::Settings,
        Self::Quit,
        Self::TipIdle,
        Self::TipAsking,
        Self::TipPaused,
        Self::Asks,
        Self::Show,
        Self::Silent,
        Self::SilentOne,
        Self::SilentMany,
        Self::SilentUnknown,
        Self::Lacks,
        Self::LacksKey,
        Self::LacksMoney,
        Self::Unlock,
        Self::AddMoney,
        Self::NoTray,
        Self::NoTrayMore,
        Self::KeepsRunning,
        Self::KeepsRunningMore,
        Self::Restored,
        Self::RestoredMore,
        Self::RestoredPartly,
        Self::NotRestored,
        Self::NotRestoredMore,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::Spent => "tray.spent",
            Self::SpentOf => "tray.spent_of",
            Self::NoQuestions => "tray.questions.none",
            Self::OneQuestion => "tray.questions.one",
            Self::Questions => "tray.questions.many",
            Self::Wants => "notice.wants",
            Self::WantsClaimed => "notice.wants.claimed",
            Self::PauseHour => "tray.pause.hour",
            Self::PauseOpen => "tray.pause.open",
            Self::Paused => "tray.paused",
            Self::Resume => "tray.resume",
            Self::Open => "tray.open",
            Self::Activity => "tray.activity",
            Self::Limits => "tray.limits",
            Self::Agents => "tray.agents",
            Self::Wallets => "tray.wallets",
            Self::Settings => "tray.settings",
            Self::Quit => "tray.quit",
            Self::TipIdle => "tray.tip.idle",
            Self::TipAsking => "tray.tip.asking",
            Self::TipPaused => "tray.tip.paused",
            Self::Asks => "notice.asks",
            Self::Show => "notice.show",
            Self::Silent => "notice.silent",
            Self::SilentOne => "notice.silent.one",
            Self::SilentMany => "notice.silent.many",
            Self::SilentUnknown => "notice.silent.unknown",
            Self::Lacks => "notice.lacks",
            Self::LacksKey => "notice.lacks.key",
            Self::LacksMoney => "notice.lacks.money",
            Self::Unlock => "notice.unlock",
            Self::AddMoney => "notice.add_money",
            Self::NoTray => "notice.no_tray",
            Self::NoTrayMore => "notice.no_tray.more",
            Self::KeepsRunning => "notice.keeps_running",
            Self::KeepsRunningMore => "notice.keeps_running.more",
            Self::Restored => "notice.restored",
            Self::RestoredMore => "notice.restored.more",
            Self::RestoredPartly => "notice.restored.partly",
            Self::NotRestored => "notice.not_restored",
            Self::NotRestoredMore => "notice.not_restored.more",
        }
    }
}

/// All words, in whichever language is chosen at that moment.
#[derive(Clone)]
pub struct Words {
    en: Map<String, Value>,
    zh: Map<String, Value>,
    chosen: Arc<Kept>,
}

impl Words {
    /// The words of whoever chose the language.
    pub fn new(chosen: Arc<Kept>) -> Self {
        let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            en: read(include_str!("../../../ui/messages/en/core.json")),
            zh: read(include_str!("../../../ui/messages/zh-CN/core.json")),
            chosen,
        }
    }

    /// A sentence with its parts filled in.
    pub fn say(&self, word: Word, parts: &[(&str, &str)]) -> String {
        let catalogue = if chinese(self.chosen.now().language, system()) { &self.zh } else { &self.en };
        let text = catalogue.get(word.key()).and_then(Value::as_str).unwrap_or_default();
        fill(text, parts)
    }
}

fn chinese(chosen: Language, system: Option<String>) -> bool {
    match chosen {
        Language::Chinese => true,
        Language::English => false,
        Language::System => system.is_some_and(|name| name.starts_with("zh")),
    }
}

/// The language of the whole computer, by the first of the variables that says one.
fn system() -> Option<String> {
    let said = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_have_every_word_and_no_other() {
        let words = Words::new(Arc::new(Kept::read(std::path::Path::new("/nonexistent"))));
        let wanted: BTreeSet<&str> = Word::ALL.iter().map(|word| word.key()).collect();
        assert_eq!(wanted.len(), Word::ALL.len());
        for catalogue in [&words.en, &words.zh] {
            assert_eq!(catalogue.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted);
            assert!(catalogue.values().all(|text| text.as_str().is_some_and(|text| !text.trim().is_empty())));
        }
    }

    #[test]
    fn the_language_is_the_persons() {
        assert!(chinese(Language::System, Some("zh_CN.UTF-8".into())) && !chinese(Language::System, None));
        assert!(chinese(Language::Chinese, Some("de".into())) && !chinese(Language::English, Some("zh".into())));
    }
}
