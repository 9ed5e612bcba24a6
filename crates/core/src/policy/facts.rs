//! What policy judges: derived by us from the offer, the bytes to be signed and the connection; never what a caller claims.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::{
    Millis,
    asset::{AssetId, Network},
    behind::Behind,
    money::Micro,
    origin::Origin,
    payment::{AgentName, Caller, Digest, Op, ProcessId, Program, Quote, SessionId},
};

/// Something odd that local checks found. A negative sign only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// The host looks like a known payee's.
    LookalikeHost,
    /// The account looks like a known one.
    LookalikeAddress,
    /// The price came from another origin than the one asked.
    Redirected,
    /// `resource.url` names another host than the request.
    OtherResource,
    /// The origin is only the caller's word.
    SellerUnverified,
    /// Dearer than the last time.
    PriceUp,
    /// Another network than the last time.
    NetworkChanged,
    /// The offer's lifetime is unusually short.
    ShortLife,
    /// The cap is at least ten times the first step.
    HighExposure,
    /// The money is settled before the answer.
    Upfront,
    /// Another program uses a known token.
    CallerChanged,
    /// Dearer, or paid in another protocol or token or to another account, than this tool was before.
    TermsChanged,
    /// The amount is shared among several accounts.
    Shared,
}

impl Risk {
    /// Every finding.
    pub const ALL: [Self; 13] = [
        Self::LookalikeHost,
        Self::LookalikeAddress,
        Self::Redirected,
        Self::OtherResource,
        Self::SellerUnverified,
        Self::PriceUp,
        Self::NetworkChanged,
        Self::ShortLife,
        Self::HighExposure,
        Self::Upfront,
        Self::CallerChanged,
        Self::TermsChanged,
        Self::Shared,
    ];

    /// The name in policy files and on every wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LookalikeHost => "lookalike_host",
            Self::LookalikeAddress => "lookalike_address",
            Self::Redirected => "redirected",
            Self::OtherResource => "other_resource",
            Self::SellerUnverified => "seller_unverified",
            Self::PriceUp => "price_up",
            Self::NetworkChanged => "network_changed",
            Self::ShortLife => "short_life",
            Self::HighExposure => "high_exposure",
            Self::Upfront => "upfront",
            Self::CallerChanged => "caller_changed",
            Self::TermsChanged => "terms_changed",
            Self::Shared => "shared",
        }
    }
}

/// A state of ours that bounds the verdict, whatever the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// All signing is paused.
    Paused,
    /// This agent is paused.
    AgentPaused,
    /// This agent was revoked after it asked.
    AgentRevoked,
    /// Three denials of this agent and payee within ten minutes.
    BackOff,
    /// The bytes do not decode.
    Malformed,
    /// A claim disagrees with the bytes.
    ClaimMismatch,
    /// The question is over.
    Expired,
    /// The ledger cannot be written.
    Storage,
    /// No value in the reference currency.
    UnknownValue,
    /// The origin is known, the rest of the payee is not.
    PayeeChanged,
    /// The same request again while an earlier payment for it is unsettled.
    PossibleDuplicate,
    /// `resource.url` names another host.
    OtherResource,
    /// The price came from another origin.
    Redirected,
    /// The seller settles before it answers.
    Upfront,
    /// Another program uses a known token.
    CallerChanged,
    /// The terms of a tool are not those it had before.
    TermsChanged,
    /// The amount is shared among several accounts.
    Shared,
    /// It is a proof of who pays, not a payment.
    Proof,
    /// The clock cannot be trusted.
    ClockSuspect,
    /// Nobody confirmed the effective policy.
    PolicyUnconfirmed,
    /// The policy only watches.
    Observe,
}

impl Condition {
    /// Whether this forbids rather than asks.
    pub const fn denies(self) -> bool {
        matches!(
            self,
            Self::Paused
                | Self::AgentPaused
                | Self::AgentRevoked
                | Self::BackOff
                | Self::Malformed
                | Self::ClaimMismatch
                | Self::Expired
                | Self::Storage
        )
    }

    /// The rule id: `builtin:…`.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Paused => "builtin:paused",
            Self::AgentPaused => "builtin:agent-paused",
            Self::AgentRevoked => "builtin:agent-revoked",
            Self::BackOff => "builtin:back-off",
            Self::Malformed => "builtin:malformed",
            Self::ClaimMismatch => "builtin:claim-mismatch",
            Self::Expired => "builtin:expired",
            Self::Storage => "builtin:storage",
            Self::UnknownValue => "builtin:unknown-value",
            Self::PayeeChanged => "builtin:payee-changed",
            Self::PossibleDuplicate => "builtin:possible-duplicate",
            Self::OtherResource => "builtin:other-resource",
            Self::Redirected => "builtin:redirected",
            Self::Upfront => "builtin:upfront",
            Self::CallerChanged => "builtin:caller-changed",
            Self::TermsChanged => "builtin:terms-changed",
            Self::Shared => "builtin:shared",
            Self::Proof => "builtin:proof",
            Self::ClockSuspect => "builtin:clock-suspect",
            Self::PolicyUnconfirmed => "builtin:policy-unconfirmed",
            Self::Observe => "builtin:observe",
        }
    }
}

/// Everything a rule can ask about. Stored with the decision, so that history can be judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The paired name.
    pub agent: AgentName,
    /// Minted by us.
    pub session: SessionId,
    /// The program behind the connection is the one this agent is bound to.
    pub agent_verified: bool,
    /// The program behind the connection. Kept as evidence: of it a rule reads only the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Path of the program this agent is bound to. Kept as evidence: no rule reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// A tag the agent sent: self-declared.
    pub task: Option<String>,
    /// `x402`, `mpp`, `alipay`, …
    pub rail: String,
    /// The protocol's scheme.
    pub scheme: String,
    /// What it does.
    pub op: Op,
    /// Our paying account.
    pub wallet: String,
    /// Where the price came from.
    pub payee_origin: Origin,
    /// The caller only claims that origin.
    pub payee_claimed: bool,
    /// Who is paid.
    pub payee_account: String,
    /// A person approved exactly this payee before, or pinned it.
    pub payee_known: bool,
    /// The asset, by our table.
    pub asset: AssetId,
    /// The network; none for fiat.
    pub network: Option<Network>,
    /// Play money.
    pub testnet: bool,
    /// In the reference currency; none without peg or rate.
    pub amount: Option<Micro>,
    /// The most this can cost, in the reference currency.
    pub exposure: Option<Micro>,
    /// Origin and path.
    pub resource: String,
    /// HTTP method.
    pub method: String,
    /// Digest of method, URL with query and body.
    pub request: Digest,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// What local checks found.
    pub risk: BTreeSet<Risk>,
    /// Built-in states that bound the verdict.
    pub conditions: BTreeSet<Condition>,
    /// When.
    pub now: Millis,
}

impl Facts {
    /// The facts of a quote, before the ledger adds what it knows (`payee_known`, conditions, comparisons with history).
    pub fn of(quote: &Quote, caller: &Caller, now: Millis) -> Self {
        let mut conditions = BTreeSet::new();
        for (risk, condition) in [
            (Risk::Redirected, Condition::Redirected),
            (Risk::OtherResource, Condition::OtherResource),
            (Risk::Upfront, Condition::Upfront),
            (Risk::CallerChanged, Condition::CallerChanged),
            (Risk::TermsChanged, Condition::TermsChanged),
            (Risk::Shared, Condition::Shared),
        ] {
            if quote.risks.contains(&risk) {
                conditions.insert(condition);
            }
        }
        if quote.op == Op::Sign {
            conditions.insert(Condition::Proof);
        }
        if quote.exposure_value.is_none() {
            conditions.insert(Condition::UnknownValue);
        }
        Self {
            agent: caller.agent.clone(),
            session: caller.session.clone(),
            agent_verified: false,
            program: caller.program.clone(),
            bound: None,
            task: None,
            rail: quote.rail.clone(),
            scheme: quote.scheme.clone(),
            op: quote.op,
            wallet: quote.wallet.clone(),
            payee_origin: quote.payee.origin.clone(),
            payee_claimed: quote.payee.claimed,
            payee_account: quote.payee.account.clone(),
            payee_known: false,
            asset: quote.exposure.asset.clone(),
            network: quote.network.clone(),
            testnet: quote.testnet,
            amount: quote.amount_value,
            exposure: quote.exposure_value,
            resource: quote.resource.path.clone(),
            method: quote.resource.method.clone(),
            request: quote.resource.request,
            reversible: quote.reversible,
            risk: quote.risks.clone(),
            conditions,
            now,
        }
    }

    /// Holds the program behind the connection against the one the agent is bound to.
    pub fn bound_to(&mut self, bound: Option<&str>) {
        self.bound = bound.map(str::to_owned);
        match self.behind() {
            Behind::Unseen | Behind::Unbound(_) => {}
            Behind::Bound(_) => self.agent_verified = true,
            Behind::Changed(..) => {
                self.risk.insert(Risk::CallerChanged);
                self.conditions.insert(Condition::CallerChanged);
            }
        }
    }

    /// The run of the program behind the connection, where it is known and not over.
    pub fn process(&self) -> Option<&ProcessId> {
        self.program.as_ref()?.process.as_ref()
    }

    /// Forgets the process behind the connection unless it still runs.
    pub fn keep_process(&mut self, runs: impl FnOnce(&ProcessId) -> bool) {
        if let Some(program) = &mut self.program {
            program.process = program.process.take().filter(runs);
        }
    }

    /// Who asks, beside the token.
    pub fn behind(&self) -> Behind {
        Behind::of(self.program.clone(), self.bound.as_deref())
    }
}
