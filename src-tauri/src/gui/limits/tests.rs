//! The room over a real ledger, with a scripted person in the window that asks.

use super::{
    edit::{BudgetOf, EffectName, FormView, LimitName, Over, WindowName},
    view::SettingView,
    *,
};
use countersign_core::{
    asset::{AssetId, Eip712, Network},
    money::{Amount, Money},
    payment::{Caller, Digest, Op, Payee, PaymentId, Program, Quote, Resource},
    rail::Quoted,
    signable::{Eip3009, Signable},
};
use countersign_vault::{
    Admit, Admitted, ManualClock, Open,
    keys::{Keys, memory::MemoryStore},
};
use std::{path::Path, sync::atomic::Ordering};

use crate::gui::person::Person;

struct Home {
    _dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    person: Arc<Person>,
    vault: Vault,
    room: Room,
}

#[cfg(target_os = "linux")]
mod process;

const EVERYDAY: &str = "everyday";

async fn home(preset: &str) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
    let registry = Arc::new(Registry::builtin("USD"));
    let policy = Policy::preset(preset, "USD").unwrap();
    let keys = Keys::start(Box::new(MemoryStore::new()));
    let open = Open::new(dir.path().join("data"), clock.clone(), keys, registry.clone(), policy);
    let vault = Vault::open(Open { min_free_bytes: 0, ..open }).unwrap();
    vault.create_wallet("main").await.unwrap();
    vault.add_agent(&"researcher".parse().unwrap(), false, SetBy::Person).await.unwrap();
    let person = Arc::new(Person { says: true.into(), ..Person::default() });
    let room = Room::new(vault.clone(), registry, person.clone(), clock.clone());
    Home { _dir: dir, clock, person, vault, room }
}

impl Home {
    async fn base(&self) -> String {
        self.room.view().await.unwrap().base
    }

    async fn save(&self, edit: &LimitsEdit) -> Told<SavedView> {
        self.room.save(edit, &self.base().await).await
    }

    /// Saves a loosening up to where its owner is asked; its name and its words.
    async fn begin(&self, edit: &LimitsEdit) -> (String, String) {
        match self.save(edit).await.unwrap() {
            SavedView::Owner { id, words, looser, wait_seconds: 10 } if !looser.is_empty() => (id, words),
            other => panic!("no owner is asked: {other:?}"),
        }
    }

    fn hash(&self) -> Digest {
        self.vault.policy().unwrap().hash("")
    }

    fn form(&self, n: u8, quote: &Quote) -> Signable {
        let asset = quote.exposure.asset.as_str();
        Signable::Eip3009(Eip3009 {
            chain_id: 8453,
            token: asset.rsplit(':').next().unwrap().parse().unwrap(),
            name: "USD Coin".into(),
            version: "2".into(),
            from: quote.wallet.parse().unwrap(),
            to: quote.payee.account.parse().unwrap(),
            value: quote.exposure.amount,
            valid_after: 0,
            valid_before: quote.valid_before(self.clock.wall()),
            nonce: [n; 32].into(),
        })
    }

    /// Somebody asks for a payment; whether it is refused, asks or goes through.
    async fn asks_for(&self, n: u8, units: &str) -> &'static str {
        self.asks_as(n, units, None).await
    }

    /// The same, by this program.
    async fn asks_as(&self, n: u8, units: &str, program: Option<Program>) -> &'static str {
        let network = Network::eip155(8453);
        let asset = AssetId::erc20(&network, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913".parse().unwrap());
        let money = Money { asset, amount: Amount::parse_atomic(units).unwrap() };
        let value = Some(Micro(units.parse().unwrap()));
        let path = format!("https://api.example/{n}");
        let quote = Quote {
            rail: "x402".into(),
            version: 2,
            scheme: "exact".into(),
            op: Op::Pay,
            payee: Payee {
                origin: "https://api.example".parse().unwrap(),
                account: "0x2222222222222222222222222222222222222222".into(),
                claimed: false,
            },
            network: Some(network),
            testnet: false,
            wallet: self.vault.wallets()[0].address.clone(),
            money: money.clone(),
            shares: Vec::new(),
            exposure: money,
            symbol: "USDC".into(),
            decimals: 6,
            domain: Some(Eip712 { name: "USD Coin".into(), version: "2".into() }),
            amount_value: value,
            exposure_value: value,
            resource: Resource { method: "GET".into(), request: Digest::of(&[path.as_bytes()]), path },
            lifetime_seconds: 60,
            reversible: false,
            risks: BTreeSet::new(),
        };
        let caller = Caller { agent: "researcher".parse().unwrap(), session: "session".parse().unwrap(), program };
        let admit = Admit {
            payment: PaymentId::from_random([n; 16]),
            caller,
            key: format!("key-{n}").parse().unwrap(),
            request: Digest::of(&[&[n]]),
            signables: vec![self.form(n, &quote)],
            quoted: Quoted { quote, offer: "{}".into(), seller_says: None },
            reason: None,
            url: "https://api.example/".into(),
        };
        match self.vault.admit(admit).await.unwrap() {
            Admitted::Refused(_) => "refused",
            Admitted::Waiting(_) => "asks",
            Admitted::TooMany { .. } => "too many",
            _ => "paid",
        }
    }
}

fn limit(limit: LimitName, max: Option<&str>) -> LimitsEdit {
    LimitsEdit::Limit { limit, max: max.map(str::to_owned), over: None }
}

fn form(effect: EffectName, up_to: Option<&str>) -> FormView {
    FormView {
        effect,
        agent: Some("researcher".into()),
        payee: None,
        network: None,
        above: None,
        up_to: up_to.map(str::to_owned),
        note: None,
        expires: Some("2027-01-01T00:00:00Z".into()),
    }
}

#[tokio::test]
async fn a_lowered_limit_is_saved_at_once_and_refuses_the_next_payment() {
    let home = home(EVERYDAY).await;
    assert_eq!(home.asks_for(1, "5000000").await, "asks");
    let edit = limit(LimitName::Payment, Some("1"));
    let preview = home.room.preview(&edit).await.unwrap();
    assert!(preview.looser.is_empty() && !preview.same && preview.whole);
    assert_eq!((preview.payments, preview.before.asked, preview.after.refused), (1, 1, 1));
    assert_eq!(home.save(&edit).await.unwrap(), SavedView::Saved);
    assert_eq!(home.asks_for(2, "5000000").await, "refused");
    assert!(home.person.asked.lock().unwrap().is_empty(), "nobody has to confirm a tightening");
    let view = home.room.view().await.unwrap();
    let set = view.limits.iter().find(|l| l.limit == LimitName::Payment).unwrap();
    assert!(
        matches!(&set.setting, SettingView::At { amount, stop, .. } if *amount == "1.00" && set.stops[*stop as usize] == "1.00")
    );
    assert_eq!(view.preset, None);
    assert_eq!(home.save(&edit).await.unwrap(), SavedView::Same);
}

#[tokio::test]
async fn a_loosening_needs_the_words_the_wait_and_the_window_that_asks() {
    let home = home(EVERYDAY).await;
    let before = home.hash();
    let (id, words) = home.begin(&limit(LimitName::Week, Some("80"))).await;
    assert_eq!((words.as_str(), home.hash()), ("80.00", before));
    assert_eq!(home.room.confirm(&id, &words).await, Err(LimitsError::TooEarly { seconds: 10 }));
    home.clock.advance_ms(WAIT_MS);
    assert_eq!(home.room.confirm(&id, "80").await, Err(LimitsError::NotTyped));
    assert_eq!(home.room.confirm("chg_0", &words).await, Err(LimitsError::Over));
    assert!(home.person.asked.lock().unwrap().is_empty(), "the window asks only after the check");
    home.person.says.store(false, Ordering::SeqCst);
    assert_eq!(home.room.confirm(&id, &words).await, Err(LimitsError::Declined));
    assert_eq!(home.hash(), before);
    assert_eq!(home.room.confirm(&id, &words).await, Err(LimitsError::Over), "a no uses it up");

    home.person.says.store(true, Ordering::SeqCst);
    let (id, words) = home.begin(&limit(LimitName::Week, Some("80"))).await;
    home.clock.advance_ms(WAIT_MS);
    home.room.confirm(&id, &words).await.unwrap();
    assert_ne!(home.hash(), before);
    assert!(home.vault.doubts().policy.is_none(), "a person confirmed it");
    assert!(home.person.asked.lock().unwrap()[1].lines[0].to_string().contains("80.00 USD instead of 60.00 USD"));
}

/// Everything that loosens, as the page could ask for it.
fn loosenings() -> Vec<LimitsEdit> {
    let toml = Policy::preset("hands-off", "USD").unwrap().to_toml();
    let payee = ("https://x.example".to_owned(), "0x1111111111111111111111111111111111111111".to_owned());
    vec![
        LimitsEdit::Preset { name: "hands-off".into() },
        LimitsEdit::Preset { name: "test-network".into() },
        limit(LimitName::Payment, Some("51")),
        limit(LimitName::Payment, None),
        limit(LimitName::Week, Some("60.000001")),
        limit(LimitName::Week, None),
        LimitsEdit::Limit { limit: LimitName::Week, max: Some("60".into()), over: Some(Over::Ask) },
        LimitsEdit::AskAbove { amount: "0.11".into() },
        LimitsEdit::BudgetMax { budget: "micro-day".into(), max: Some("6".into()) },
        LimitsEdit::BudgetMax { budget: "micro-burst".into(), max: None },
        LimitsEdit::Rule { rule: None, form: form(EffectName::Allow, Some("1")) },
        LimitsEdit::Rule { rule: None, form: form(EffectName::Except, Some("1")) },
        LimitsEdit::Rule { rule: Some("micro".into()), form: form(EffectName::Allow, Some("1")) },
        LimitsEdit::Disable { rule: "first-payee".into() },
        LimitsEdit::Remove { rule: "no-raw-sign".into() },
        LimitsEdit::Pin {
            origin: payee.0,
            account: payee.1,
            asset: "eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913".into(),
        },
        LimitsEdit::Text { toml },
    ]
}

#[tokio::test]
async fn no_loosening_is_saved_without_its_owner_whichever_command_asks_for_it() {
    let home = home(EVERYDAY).await;
    let before = home.hash();
    for edit in loosenings() {
        let preview = home.room.preview(&edit).await.unwrap();
        assert!(!preview.looser.is_empty(), "{edit:?}");
        let (id, words) = home.begin(&edit).await;
        assert!(words.is_ascii() && !words.is_empty(), "{edit:?} is typed as {words:?}");
        assert!(home.room.confirm(&id, &words).await.is_err(), "{edit:?} before the wait");
        assert_eq!(home.hash(), before, "{edit:?}");
        home.room.cancel();
    }
    // Tighter first, so that going back to the first version loosens.
    home.save(&limit(LimitName::Week, Some("1"))).await.unwrap();
    let (tight, restore) = (home.hash(), LimitsEdit::Restore { version: 1 });
    let (id, words) = home.begin(&restore).await;
    assert_eq!(home.hash(), tight);
    home.clock.advance_ms(WAIT_MS);
    home.room.confirm(&id, &words).await.unwrap();
    assert_eq!(home.hash(), before, "restored");
    let versions = home.room.versions().await.unwrap();
    assert_eq!(
        versions.iter().map(|v| (v.version, v.in_force)).collect::<Vec<_>>(),
        [(3, true), (2, false), (1, false)]
    );
    assert_eq!(versions.iter().map(|v| v.by.as_str()).collect::<Vec<_>>(), ["person", "command", "first"]);
}

#[tokio::test]
async fn a_change_made_of_limits_that_changed_meanwhile_is_refused() {
    let home = home(EVERYDAY).await;
    let old = home.base().await;
    let (id, words) = home.begin(&limit(LimitName::Week, Some("80"))).await;
    home.save(&limit(LimitName::Payment, Some("1"))).await.unwrap();
    assert_eq!(home.room.save(&limit(LimitName::Day, Some("1")), &old).await, Err(LimitsError::Changed));
    let tight = home.hash();
    home.clock.advance_ms(WAIT_MS);
    assert_eq!(
        home.room.confirm(&id, &words).await,
        Err(LimitsError::Changed),
        "what waited would undo the tightening"
    );
    assert_eq!(home.hash(), tight);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_whole() {
    let home = home(EVERYDAY).await;
    let before = home.hash();
    for text in
        ["-1", "1e9", "1,000", "٣", "0.0000001", "", " ", "\u{202e}1", "NaN", "340282366920938463463374607431768211456"]
    {
        let refused = home.save(&limit(LimitName::Day, Some(text))).await;
        assert!(matches!(refused, Err(LimitsError::Amount { .. })), "{text:?}: {refused:?}");
    }
    let budget = |of| LimitsEdit::Budget { of, window: WindowName::Day, max: Some("1".into()), over: Over::Ask };
    for of in [
        BudgetOf::Agent("no such name!".into()),
        BudgetOf::Payee("javascript:alert(1)".into()),
        BudgetOf::Payee("https://user@host.example".into()),
        BudgetOf::Network("everything".into()),
    ] {
        assert!(matches!(home.save(&budget(of)).await, Err(LimitsError::Name { .. })));
    }
    let long = "x".repeat(2 << 20);
    for edit in [
        LimitsEdit::Text { toml: "format = 2".into() },
        LimitsEdit::Text { toml: long.clone() },
        LimitsEdit::Preset { name: long },
        LimitsEdit::Rule { rule: None, form: form(EffectName::Except, None) },
    ] {
        match home.save(&edit).await {
            Err(LimitsError::Policy { says }) => assert!(!says.is_empty()),
            Ok(SavedView::Owner { .. }) if matches!(edit, LimitsEdit::Rule { .. }) => home.room.cancel(),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(home.save(&LimitsEdit::Restore { version: 9 }).await, Err(LimitsError::NoSuch { .. })));
    assert!(matches!(home.save(&LimitsEdit::Disable { rule: "none".into() }).await, Err(LimitsError::NoSuch { .. })));
    let unknown = r#"{"kind":"limit","limit":"day","max":"1","over":null,"scope":[]}"#;
    assert!(serde_json::from_str::<LimitsEdit>(unknown).is_err(), "an unknown key is an error");
    assert_eq!(home.hash(), before);
}

#[tokio::test]
async fn hostile_words_in_a_policy_reach_the_page_cleaned() {
    let home = home("careful").await;
    let toml = "format = 1\nreference = \"USD\"\nrule = [{ id = \"a\", effect = \"ask\", note = \"a\u{202e}b\\u0007\", when = { task = \"<b>\u{200b}x\" } }]";
    home.vault.set_policy(Policy::parse(toml, "USD").unwrap(), SetBy::Person).await.unwrap();
    let view = home.room.view().await.unwrap();
    assert_eq!(view.rules[0].note.as_deref(), Some("ab"));
    assert!(!format!("{:?}", view.rules).contains(['\u{202e}', '\u{200b}']), "{:?}", view.rules);
    home.room.label("https://api.example", Some("  my \u{202e}seller ".into())).await.unwrap();
    let labels = home.vault.payee_labels().await.unwrap();
    assert_eq!(labels.values().collect::<Vec<_>>(), ["my seller"]);
    assert!(home.room.label("https://api.example", Some("x".repeat(61))).await.is_err());
    home.room.label("https://api.example", None).await.unwrap();
    assert!(home.vault.payee_labels().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_preset_is_a_card_and_the_one_in_force_says_so() {
    let home = home("hands-off").await;
    let view = home.room.view().await.unwrap();
    assert_eq!(
        view.presets.iter().filter(|p| p.starter).map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["careful", EVERYDAY, "hands-off"]
    );
    assert_eq!(view.presets.iter().filter(|p| p.in_force).map(|p| p.name.as_str()).collect::<Vec<_>>(), ["hands-off"]);
    assert!(view.presets.iter().all(|p| !p.lines.is_empty()));
    assert!(!view.ask.everything && view.networks.iter().any(|(id, _)| id == "eip155:8453"));
    let day = view.limits.iter().find(|l| l.limit == LimitName::Day).unwrap();
    let spent = day.spent.as_ref().unwrap();
    assert_eq!((spent.spent.as_str(), spent.left.as_str(), spent.permille), ("0.00", "20.00", 0));
}

#[test]
fn every_word_of_the_core_has_a_word_on_the_page() {
    let page = include_str!("../../../../ui/messages/en/limits.json");
    for op in Op::ALL {
        assert!(page.contains(&format!("\"limits.does.{}\"", op.as_str())), "{}", op.as_str());
    }
    for risk in policy::Risk::ALL {
        assert!(page.contains(&format!("\"limits.risk.{}\"", risk.as_str())), "{}", risk.as_str());
    }
    for preset in policy::PRESETS {
        assert!(page.contains(&format!("\"limits.preset.{preset}\"")), "{preset}");
    }
}

#[tokio::test]
async fn an_answer_is_remembered_for_the_session_or_an_hour_and_a_yes_for_good_only_by_its_owner() {
    let home = home(EVERYDAY).await;
    assert_eq!(home.asks_for(1, "10000").await, "asks", "a payee never seen asks");
    let filter = countersign_vault::Filter::default();
    let id = home.vault.payments(filter).await.unwrap().payments[0].id.to_string();
    let before = home.hash();
    assert_eq!(home.room.remember(&id, true, Remember::Hour, None).await, Err(LimitsError::Over), "not at first sight");
    assert_eq!(home.room.remember(&id, true, Remember::Always, None).await, Err(LimitsError::Over));
    assert!(matches!(
        home.room.remember("pay_none", true, Remember::Session, None).await,
        Err(LimitsError::NoSuch { .. })
    ));
    home.room.remember(&id, true, Remember::Once, None).await.unwrap();
    assert_eq!(home.hash(), before);
    home.room.remember(&id, true, Remember::Session, None).await.unwrap();
    let rule =
        home.vault.policy().unwrap().rules().iter().find(|r| r.id.starts_with("pay-researcher")).cloned().unwrap();
    assert_eq!((rule.effect, rule.expires), (policy::Tier::Except, Some(Millis(1_795_000_000_000 + SESSION_MS))));
    assert_eq!(home.vault.doubts().policy, None, "a person said so");
    assert_eq!(home.asks_for(2, "10000").await, "paid");
    let soon = Some("2026-12-31T23:00:00Z");
    assert_eq!(home.room.remember(&id, true, Remember::Until, soon).await, Err(LimitsError::Over), "its owner's");
    let past = Some("2020-01-01T00:00:00Z");
    assert_eq!(home.room.remember(&id, false, Remember::Until, past).await, Err(LimitsError::Over));
    home.room.remember(&id, false, Remember::Until, soon).await.unwrap();
    let policy = home.vault.policy().unwrap();
    let never = policy.rules().iter().find(|r| r.id.starts_with("never-researcher")).unwrap();
    assert_eq!(never.expires.map(Millis::rfc3339).as_deref(), soon);
    assert_eq!(home.asks_for(3, "10000").await, "refused", "a later no is above an earlier yes");
}

#[tokio::test]
async fn a_remembered_yes_confirms_nothing_that_nobody_has_confirmed() {
    let home = home(EVERYDAY).await;
    assert_eq!(home.asks_for(1, "10000").await, "asks");
    let filter = countersign_vault::Filter::default();
    let id = home.vault.payments(filter).await.unwrap().payments[0].id.to_string();
    home.vault.set_policy(Policy::preset("hands-off", "USD").unwrap(), SetBy::Command).await.unwrap();
    assert!(home.vault.doubts().policy.is_some());
    let before = home.hash();
    assert_eq!(home.room.remember(&id, true, Remember::Session, None).await, Err(LimitsError::Unconfirmed));
    assert_eq!(home.hash(), before);
    home.room.remember(&id, false, Remember::Session, None).await.unwrap();
    assert!(home.vault.doubts().policy.is_some(), "a no is a rule, and confirms nothing either");
}

#[tokio::test]
async fn a_yes_for_good_becomes_the_rule_that_was_shown_with_its_budget() {
    let home = home(EVERYDAY).await;
    assert_eq!(home.asks_for(1, "10000").await, "asks");
    let filter = countersign_vault::Filter::default();
    let payment = home.vault.payments(filter).await.unwrap().payments[0].id.to_string();
    let edit = LimitsEdit::Remember { payment, until: None };
    let shown = home.room.preview(&edit).await.unwrap();
    let made = shown.made.unwrap();
    let budget = made.budget.unwrap();
    assert_eq!((made.rule.expires.as_deref(), budget.max.as_deref()), (None, Some("5.00")));
    let (id, words) = home.begin(&edit).await;
    assert_eq!(words, "0.01");
    home.clock.advance_ms(WAIT_MS);
    home.room.confirm(&id, &words).await.unwrap();
    let seen = home.room.view().await.unwrap();
    assert!(seen.rules.contains(&made.rule), "{:?}", seen.rules);
    let kept = seen.budgets.into_iter().find(|one| one.id == budget.id).unwrap();
    assert_eq!(view::BudgetView { spent: None, ..kept }, budget);
    assert_eq!(home.asks_for(2, "10000").await, "paid");
    assert!(home.room.preview(&edit).await.unwrap().same, "it is there already");
    let until =
        |payment: &str| LimitsEdit::Remember { payment: payment.into(), until: Some("2020-01-01T00:00:00Z".into()) };
    let LimitsEdit::Remember { payment, .. } = &edit else { unreachable!() };
    assert_eq!(home.room.preview(&until(payment)).await, Err(LimitsError::Over), "an end that is past");
}

#[test]
fn the_bindings_are_current() {
    use super::super::view::tests::check;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/ipc/bindings");
    let mut stale = Vec::new();
    let all: [fn(&Path, &mut Vec<String>); 27] = [
        check::<view::AskView>,
        check::<view::BlockedView>,
        check::<view::BudgetView>,
        check::<view::CardLine>,
        check::<view::KnownView>,
        check::<view::LimitView>,
        check::<view::LimitsView>,
        check::<view::MadeView>,
        check::<view::PinnedView>,
        check::<view::PresetView>,
        check::<view::PreviewView>,
        check::<view::RuleState>,
        check::<view::RuleView>,
        check::<view::SavedView>,
        check::<view::SettingView>,
        check::<view::UsedView>,
        check::<view::TallyView>,
        check::<view::VersionView>,
        check::<edit::BudgetOf>,
        check::<edit::EffectName>,
        check::<edit::FormView>,
        check::<edit::LimitName>,
        check::<edit::LimitsEdit>,
        check::<edit::Over>,
        check::<edit::WindowName>,
        check::<condition::Condition>,
        check::<error::LimitsError>,
    ];
    all.iter().for_each(|check| check(&dir, &mut stale));
    assert!(stale.is_empty(), "run the test once with UPDATE_BINDINGS=1 for: {stale:#?}");
}
