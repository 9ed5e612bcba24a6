//! The effective policy: checked, sorted, with its hash. There is no way to hold half of one.

use jiff::tz::TimeZone;

use super::{
    Budget, Draft, Field, Known, Mode, PolicyError, Rule, Test, Tier, Value, When, canonical, file, preset, rule,
    value, warnings,
};
use crate::{approval::Said, asset::AssetId, money::Micro, origin::Origin, payment::Digest};

/// The effective, checked policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    parts: Draft,
    zone: TimeZone,
    config: String,
    hash: Digest,
}

impl Policy {
    /// Reads a policy file; refuses the whole of it at the first thing wrong. `reference` is the configuration's currency.
    pub fn parse(toml: &str, reference: &str) -> Result<Self, PolicyError> {
        file::read(toml, reference)?.check()
    }

    /// The currency a policy file names, whatever else is in it.
    pub fn reference_of(toml: &str) -> Option<String> {
        let table: toml::Table = toml.parse().ok()?;
        table.get("reference")?.as_str().map(str::to_owned)
    }

    /// The policy as a file that parses back to the same policy.
    pub fn to_toml(&self) -> String {
        file::write(&self.parts)
    }

    /// A shipped policy: `everyday` (= `balanced`), `careful`, `hands-off`, `pinned-only`, `test-network`; in UTC.
    pub fn preset(name: &str, reference: &str) -> Option<Self> {
        preset::named(name, reference)
    }

    /// The parts, free to edit; [`Draft::check`] makes them a policy again.
    pub fn draft(&self) -> Draft {
        self.parts.clone()
    }

    /// RFC 8785 canonical JSON: defaults filled in, sorted by id.
    pub fn canonical(&self) -> String {
        canonical::json(&canonical::value(&self.parts))
    }

    /// The hash a person confirms: SHA-256 of the canonical JSON of policy and `config`, the canonical text of the configuration
    /// keys that can loosen.
    pub fn hash(&self, config: &str) -> Digest {
        canonical::hash(&self.parts, config)
    }

    /// Binds the policy to those configuration keys: every decision carries [`Self::hash`] of both.
    #[must_use]
    pub fn bound_to(self, config: &str) -> Self {
        Self::sealed(self.parts, self.zone, config.to_owned())
    }

    /// The hash decisions carry: with the configuration it is bound to, or none.
    pub fn policy_hash(&self) -> Digest {
        self.hash
    }

    pub(super) fn sealed(parts: Draft, zone: TimeZone, config: String) -> Self {
        let hash = canonical::hash(&parts, &config);
        Self { parts, zone, config, hash }
    }

    /// What an agent added with `--ask-everything` is judged by: an ask rule for everything; an except stays one only where it
    /// names an agent, since a person made it for that agent. Budgets and denials stay, with their counters.
    #[must_use]
    pub fn narrowed_to_ask(&self) -> Self {
        let mut parts = self.parts.clone();
        for rule in &mut parts.rules {
            if rule.effect == Tier::Except && !rule.when.lists(Field::Agent) {
                rule.effect = Tier::Allow;
            }
        }
        let taken = |id: &str| self.rule(id).is_some();
        let names = std::iter::once("ask-everything".to_owned())
            .chain((0..=self.rules().len()).map(|n| format!("ask-everything-{n}")));
        if let Some(id) = names.into_iter().find(|id| !taken(id)) {
            parts.rules.push(Rule::new(&id, Tier::Ask, When::default()));
        }
        parts.rules.sort_by(|a, b| a.id.cmp(&b.id));
        Self::sealed(parts, self.zone.clone(), self.config.clone())
    }

    /// Whether this payee is pinned in `known`.
    pub fn is_known(&self, origin: &Origin, account: &str, asset: &AssetId) -> bool {
        let account = value::account(account);
        self.parts.known.iter().any(|k| k.origin == *origin && k.account == account && k.asset == *asset)
    }

    /// Whether this origin is pinned with any account and asset.
    pub fn is_known_origin(&self, origin: &Origin) -> bool {
        self.parts.known.iter().any(|k| k.origin == *origin)
    }

    /// What a person should know about this policy, a sentence each.
    pub fn warnings(&self) -> Vec<Said> {
        warnings::of(self)
    }

    /// [`Self::warnings`] in English, for terminals.
    pub fn told(&self) -> Vec<String> {
        self.warnings().iter().map(ToString::to_string).collect()
    }

    /// The amount above which the rule `ask-above` asks; none where it is missing or asks about something else.
    pub fn ask_above(&self) -> Option<Micro> {
        let rule = self.rule(rule::ASK_ABOVE).filter(|r| r.effect == Tier::Ask && r.expires.is_none())?;
        match (rule.when.conditions().count(), rule.when.on(Field::Exposure)) {
            (1, [Test::Gt(Value::Money(bound))]) => Some(*bound),
            _ => None,
        }
    }

    /// What the person calls it.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The currency of every amount.
    pub fn reference(&self) -> &str {
        &self.parts.reference
    }

    /// IANA name; where calendar windows begin.
    pub fn timezone(&self) -> &str {
        &self.parts.timezone
    }

    /// Whether verdicts count.
    pub fn mode(&self) -> Mode {
        self.parts.mode
    }

    /// Pinned payees.
    pub fn known(&self) -> &[Known] {
        &self.parts.known
    }

    /// Rules by id.
    pub fn rules(&self) -> &[Rule] {
        &self.parts.rules
    }

    /// Budgets by id.
    pub fn budgets(&self) -> &[Budget] {
        &self.parts.budgets
    }

    /// The rule of this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let at = self.parts.rules.binary_search_by(|r| r.id.as_str().cmp(id)).ok()?;
        self.parts.rules.get(at)
    }

    /// The budget of this id.
    pub fn budget(&self, id: &str) -> Option<&Budget> {
        let at = self.parts.budgets.binary_search_by(|b| b.id.as_str().cmp(id)).ok()?;
        self.parts.budgets.get(at)
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether this except lets a known seller change its account: it trusts the origin alone and has an amount budget of its own.
    pub(super) fn lets_payee_change(&self, rule: &Rule) -> bool {
        rule.effect == Tier::Except
            && rule.when.lists(Field::PayeeOrigin)
            && !rule.when.lists(Field::PayeeAccount)
            && self.budgets().iter().any(|b| b.bounds(rule) && b.max_amount.is_some())
    }
}
