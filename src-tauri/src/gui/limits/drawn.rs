//! The page as it stands: policy, payees and what is spent, put into words and numbers.

use countersign_core::{
    Millis,
    money::Micro,
    origin::Origin,
    payment::AgentName,
    policy::{
        ASK_ABOVE, Budget, Effect, Field, LIMIT_PAYMENT, Limit, Mode, OFF, PRESETS, Policy, Rule, RuleForm, Scope,
        Setting, Source, Subject, Test, Tier, Value, Window,
    },
    registry::Registry,
    text::clean,
};
use countersign_vault::KnownPayee;
use std::collections::BTreeMap;

use super::{
    condition::{self, Condition},
    edit::{LimitName, Over},
    view::{
        AskView, BlockedView, BudgetView, CardLine, KnownView, LimitView, LimitsView, MadeView, PinnedView, PresetView,
        RuleState, RuleView, SettingView, UsedView,
    },
};

/// What the page is drawn from.
pub struct Drawing<'a> {
    /// Names the policy in force.
    pub base: String,
    /// That policy, but for what can fit nothing any more.
    pub policy: &'a Policy,
    pub registry: &'a Registry,
    pub now: Millis,
    pub unconfirmed: bool,
    pub agents: Vec<AgentName>,
    pub known: Vec<KnownPayee>,
    pub labels: BTreeMap<Origin, String>,
    /// Money left, by budget, where there is one counter for everybody.
    pub left: BTreeMap<String, Micro>,
}

/// Stops of a slider; the amount in force joins them.
const STOPS: [&str; 19] = [
    "0.00", "0.01", "0.02", "0.05", "0.10", "0.20", "0.50", "1.00", "2.00", "5.00", "10.00", "20.00", "50.00",
    "100.00", "200.00", "500.00", "1000.00", "2000.00", "5000.00",
];
/// The shipped policies a person starts from; the others are for experts.
const STARTERS: [&str; 3] = ["careful", "everyday", "hands-off"];
const CONTROLS: [(Limit, LimitName, Window); 4] = [
    (Limit::Payment, LimitName::Payment, Window::Once),
    (Limit::Day, LimitName::Day, Window::CalendarDay),
    (Limit::Week, LimitName::Week, Window::Rolling7d),
    (Limit::Month, LimitName::Month, Window::CalendarMonth),
];

impl Drawing<'_> {
    /// The page.
    pub fn view(&self) -> LimitsView {
        let policy = self.policy;
        let standing = policy.standing();
        let asking = policy.asking();
        let stops = stops(asking);
        LimitsView {
            base: self.base.clone(),
            currency: policy.reference().to_owned(),
            timezone: policy.timezone().to_owned(),
            watching: policy.mode() == Mode::Observe,
            unconfirmed: self.unconfirmed,
            preset: standing.preset.map(str::to_owned),
            own: u32::try_from(standing.own).unwrap_or(u32::MAX),
            presets: self.presets(standing.preset),
            ask: AskView { everything: !policy.lets_something_through(), setting: setting(asking, &stops), stops },
            limits: CONTROLS.iter().map(|control| self.limit(*control)).collect(),
            budgets: policy.budgets().iter().filter(|b| !is_limit(b)).map(|b| self.budget(b)).collect(),
            rules: policy.rules().iter().filter(|r| !is_control(policy, r)).map(|r| self.rule(r)).collect(),
            pinned: policy
                .known()
                .iter()
                .map(|k| PinnedView {
                    origin: k.origin.to_string(),
                    label: self.labels.get(&k.origin).cloned(),
                    account: k.account.clone(),
                    asset: k.asset.as_str().to_owned(),
                    asset_name: condition::asset(k.asset.as_str(), self.registry),
                })
                .collect(),
            known: self.known.iter().map(|k| self.known_payee(k)).collect(),
            blocked: policy
                .blocked()
                .map(|origin| BlockedView { label: self.labels.get(&origin).cloned(), origin: origin.to_string() })
                .collect(),
            agents: self.agents.iter().map(ToString::to_string).collect(),
            networks: self.registry.chains().map(|c| (c.network.to_string(), clean(&c.name))).collect(),
            warnings: policy.warnings(),
        }
    }

    /// The rule that this policy has and another has not, with its budget.
    pub fn made(&self, old: &Policy) -> Option<MadeView> {
        let rule = self.policy.rules().iter().find(|rule| old.rule(&rule.id) != Some(*rule))?;
        let budget = self.policy.budgets().iter().find(|budget| budget.rule() == Some(&rule.id));
        Some(MadeView { rule: self.rule(rule), budget: budget.map(|b| self.budget(b)) })
    }

    fn presets(&self, in_force: Option<&str>) -> Vec<PresetView> {
        let place = |name: &str| STARTERS.iter().position(|s| *s == name).unwrap_or(STARTERS.len());
        let mut names = PRESETS.to_vec();
        names.sort_by_key(|name| place(name));
        let card = |name: &'static str| {
            let policy = Policy::preset(name, self.policy.reference())?;
            Some(PresetView {
                name: name.to_owned(),
                starter: STARTERS.contains(&name),
                in_force: in_force == Some(name),
                lines: lines(&policy),
            })
        };
        names.into_iter().filter_map(card).collect()
    }

    fn limit(&self, (limit, name, window): (Limit, LimitName, Window)) -> LimitView {
        let set = self.policy.limit(limit);
        let stops = stops(set);
        let there = self.policy.budget(limit.id());
        LimitView {
            limit: name,
            window: there.map_or(window, |b| b.window).into(),
            setting: setting(set, &stops),
            stops,
            spent: there.and_then(|b| self.spent(b)),
        }
    }

    fn spent(&self, budget: &Budget) -> Option<UsedView> {
        let (max, left) = (budget.max_amount?, *self.left.get(&budget.id)?);
        let spent = max.saturating_sub(left);
        let permille = spent.0.saturating_mul(1000).checked_div(max.0).unwrap_or(if spent.0 == 0 { 0 } else { 1000 });
        Some(UsedView {
            spent: spent.to_string(),
            left: left.to_string(),
            permille: u16::try_from(permille.min(1000)).unwrap_or(1000),
        })
    }

    fn budget(&self, budget: &Budget) -> BudgetView {
        let of = Subject::of(budget);
        let network = match &of {
            Some(Subject::Network(network)) => Some(condition::network(network.as_str(), self.registry)),
            _ => None,
        };
        let each = budget.scope.iter().filter(|s| !matches!(s, Scope::Rule(_)));
        BudgetView {
            id: budget.id.clone(),
            of: of.map(Into::into),
            network,
            conditions: Condition::all(&budget.when, self.registry),
            rule: budget.rule().map(str::to_owned),
            each: each.map(Scope::text).collect(),
            window: budget.window.into(),
            max: budget.max_amount.map(|m| m.to_string()),
            count: budget.max_count.map(|n| n.to_string()),
            over: over(budget.on_exceed),
            expires: budget.expires.map(Millis::rfc3339),
            spent: self.spent(budget),
        }
    }

    fn rule(&self, rule: &Rule) -> RuleView {
        let state = match rule.expires {
            Some(OFF) => RuleState::Off,
            Some(end) if self.now >= end => RuleState::Expired,
            _ => RuleState::On,
        };
        RuleView {
            id: rule.id.clone(),
            effect: rule.effect.into(),
            conditions: Condition::all(&rule.when, self.registry),
            state,
            expires: rule.expires.filter(|end| *end != OFF).map(Millis::rfc3339),
            uses_left: rule.uses_left.map(|n| n.to_string()),
            note: condition::note(rule),
            source: rule.origin.as_str().to_owned(),
            form: RuleForm::of(rule).map(Into::into),
            counted: self.policy.budgets().iter().any(|b| b.rule() == Some(&rule.id)),
        }
    }

    fn known_payee(&self, payee: &KnownPayee) -> KnownView {
        let key = &payee.key;
        KnownView {
            agent: key.agent.as_ref().map(ToString::to_string),
            origin: key.origin.to_string(),
            label: payee.label.clone(),
            account: clean(&key.account),
            asset: key.asset.as_str().to_owned(),
            asset_name: condition::asset(key.asset.as_str(), self.registry),
            since: payee.since.rfc3339(),
            pinned: self.policy.is_known(&key.origin, &key.account, &key.asset),
            blocked: self.policy.blocked().any(|origin| origin == key.origin),
        }
    }
}

/// Whether a budget has a control of its own among the limits.
fn is_limit(budget: &Budget) -> bool {
    CONTROLS.iter().any(|(limit, ..)| limit.id() == budget.id)
}

/// Whether a rule is shown as a control, not as a sentence.
fn is_control(policy: &Policy, rule: &Rule) -> bool {
    match rule.id.as_str() {
        ASK_ABOVE => policy.asking() != Setting::ByHand,
        LIMIT_PAYMENT => policy.limit(Limit::Payment) != Setting::ByHand,
        _ => false,
    }
}

fn stops(set: Setting) -> Vec<String> {
    let mut all: Vec<Micro> = STOPS.iter().filter_map(|text| Micro::parse(text).ok()).collect();
    if let Setting::At(amount, _) = set {
        all.push(amount);
    }
    all.sort();
    all.dedup();
    all.iter().map(ToString::to_string).collect()
}

fn setting(set: Setting, stops: &[String]) -> SettingView {
    match set {
        Setting::Off => SettingView::Off,
        Setting::ByHand => SettingView::ByHand,
        Setting::At(amount, on_exceed) => {
            let amount = amount.to_string();
            let stop = stops.iter().position(|s| *s == amount).unwrap_or_default();
            SettingView::At { amount, over: over(on_exceed), stop: u32::try_from(stop).unwrap_or_default() }
        }
    }
}

fn over(effect: Effect) -> Over {
    if effect == Effect::Deny { Over::Deny } else { Over::Ask }
}

/// A policy in plain words, read off its rules.
fn lines(policy: &Policy) -> Vec<CardLine> {
    let mut all: Vec<CardLine> =
        policy.rules().iter().filter(|r| r.effect == Tier::Allow).filter_map(through).collect();
    if all.is_empty() {
        all.push(CardLine::EverythingAsks);
    }
    let new_payee = |rule: &&Rule| {
        rule.origin == Source::Preset && rule.when.on(Field::PayeeKnown) == [Test::In([Value::Flag(false)].into())]
    };
    all.extend(policy.rules().iter().find(new_payee).map(|rule| match rule.effect {
        Tier::Deny => CardLine::NewPayeeRefused,
        _ => CardLine::NewPayeeAsks,
    }));
    let shown = policy.budgets().iter().filter(|b| b.window != Window::Rolling10m);
    all.extend(shown.filter_map(|b| {
        Some(CardLine::Budget {
            amount: b.max_amount?.to_string(),
            window: b.window.into(),
            each_agent: b.scope.contains(&Scope::Agent),
            over: over(b.on_exceed),
        })
    }));
    if let Setting::At(amount, _) = policy.limit(Limit::Payment) {
        all.push(CardLine::RefusedAbove { amount: amount.to_string() });
    }
    all
}

fn through(rule: &Rule) -> Option<CardLine> {
    let yes = |field| rule.when.on(field) == [Test::In([Value::Flag(true)].into())];
    match rule.when.on(Field::Exposure) {
        [Test::Le(Value::Money(cap))] if yes(Field::Testnet) => Some(CardLine::PlayMoney { up_to: cap.to_string() }),
        [Test::Le(Value::Money(cap))] => {
            Some(CardLine::Through { up_to: cap.to_string(), known_only: yes(Field::PayeeKnown) })
        }
        _ => None,
    }
}
