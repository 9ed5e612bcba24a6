//! What can be asked over the control socket, and how it is answered.

use countersign_core::{
    approval::Said,
    policy::{self, Policy},
    text::clean,
};
use countersign_vault::keys::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{
    alipay::setup,
    gateway::{Name, Target},
    stripe::setup::StripeSetup,
};

/// Whether this may be the name of a page: a word, since nothing else becomes part of an address.
pub fn is_page(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// One setup or reading verb.
#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Makes a key.
    WalletCreate {
        /// The person's name for it.
        label: String,
    },
    /// Takes a key over.
    WalletImport {
        /// The person's name for it.
        label: String,
        /// 64 hex digits.
        #[serde(with = "carried")]
        key: Secret,
    },
    /// Every wallet.
    WalletList,
    /// Lets one wallet pay for one agent.
    WalletAssign {
        /// Its address, or the person's name for it.
        wallet: String,
        /// Whose payments.
        agent: String,
    },
    /// Opens the wallets with their passphrase; only while Countersign runs.
    WalletUnlock {
        /// As typed.
        #[serde(with = "carried")]
        passphrase: Secret,
    },
    /// Locks them again.
    WalletLock,
    /// Pairs an agent.
    AgentAdd {
        /// Its name.
        name: String,
        /// Everything it wants asks.
        ask_everything: bool,
    },
    /// Gives an agent another token.
    AgentRotate {
        /// Its name.
        name: String,
    },
    /// Lets an agent be bound to another program.
    AgentRebind {
        /// Its name.
        name: String,
    },
    /// Brings the window to the front: Countersign was started once more.
    Raise {
        /// On this page.
        page: Option<String>,
    },
    /// Every agent.
    AgentList,
    /// Ends an agent's tokens.
    AgentRevoke {
        /// Its name.
        name: String,
    },
    /// The policy in force.
    PolicyShow,
    /// Replaces the policy.
    PolicySet {
        /// The file's text.
        toml: String,
    },
    /// Why a payment was allowed, asked or refused.
    PolicyExplain {
        /// Which payment.
        payment: String,
    },
    /// Stops all signing, or one agent's.
    Pause {
        /// Only this agent's.
        agent: Option<String>,
    },
    /// Lets it go on. Everybody's pause and an agent's own end apart from each other.
    Resume {
        /// Only this agent's.
        agent: Option<String>,
    },
    /// Payments, newest first.
    History {
        /// Only this agent's.
        agent: Option<String>,
        /// Only since this RFC 3339 moment.
        since: Option<String>,
        /// Most rows.
        limit: u32,
        /// Where the last page ended.
        cursor: Option<String>,
    },
    /// One payment.
    Payment {
        /// Which.
        id: String,
    },
    /// Checks the whole ledger.
    Verify,
    /// Accepts what start-up found odd; only while nothing runs.
    Confirm {
        /// `policy`, `clock` or `history`.
        what: String,
    },
    /// Puts an MCP server behind Countersign; only while it runs, because a person has to see what is reached.
    GatewayAdd {
        /// The person's name for it.
        name: Name,
        /// Exactly what is reached.
        target: Target,
    },
    /// Every MCP server behind Countersign.
    GatewayList,
    /// Takes one away again.
    GatewayRemove {
        /// Its name.
        name: Name,
    },
    /// Logs in to an MCP server behind Countersign, in the person's browser.
    GatewayLogin {
        /// Its name.
        name: Name,
        /// What its authorization server calls us; none to register there.
        client_id: Option<String>,
        /// What goes with that; empty where there is none.
        #[serde(with = "carried")]
        client_secret: Secret,
        /// Where a document about us lies, for servers that take one.
        client_metadata: Option<Url>,
    },
    /// Forgets such a login.
    GatewayLogout {
        /// Its name.
        name: Name,
    },
    /// Sets a merchant at Alipay up, in the place of the one before.
    AlipaySetup {
        /// All but the private key.
        said: setup::MerchantSetup,
        /// The app's private key; empty to have one made.
        #[serde(with = "carried")]
        key: Secret,
    },
    /// Checks the merchant's keys; while Countersign runs, the gateway is asked too. Moves nothing.
    AlipayCheck,
    /// The merchant, without its key; null if there is none.
    AlipayShow,
    /// Checks a notice that Alipay sent to a server of the merchant's.
    AlipayNotice {
        /// The form as it was posted.
        form: String,
        /// The order it should be about.
        out_trade_no: String,
        /// What that order costs, in yuan.
        amount: String,
        /// The merchant's account, where it is known.
        seller_id: Option<String>,
    },
    /// Forgets the merchant and its key.
    AlipayRemove,
    /// Whether Alipay is asked about an open page from here on.
    AlipayWatch {
        /// The page's payment id.
        payment: String,
        /// Asked again, and at once; or no more.
        watched: bool,
    },
    /// Sets up what pays at Stripe, in the place of the one before.
    StripeSetup {
        /// All but the key.
        said: StripeSetup,
        /// A restricted key.
        #[serde(with = "carried")]
        key: Secret,
    },
    /// Checks the key; while Countersign runs, Stripe is asked too. Moves nothing.
    StripeCheck,
    /// What pays at Stripe, without its key; null if nothing does.
    StripeShow,
    /// Forgets it and its key.
    StripeRemove,
    /// Fetches a URL as an agent and pays its 402; only while Countersign runs.
    Fetch {
        /// Which agent; the only one if not given.
        agent: Option<String>,
        /// Body of `POST /v1/fetch`.
        body: Value,
    },
}

/// Never shows the key that an import carries.
impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a verb ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done; what came of it.
    Done(Value),
    /// It cannot be done; a sentence for people.
    Failed(String),
    /// The person said no.
    Refused(String),
    /// Nobody answered in time.
    Unanswered(String),
}

/// One line of the running Countersign: what is to be shown meanwhile, then the reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A person is being asked, and sees this code.
    Code {
        /// `XXXX-XXXX`.
        code: String,
    },
    /// A page is to be opened in the person's browser.
    Open {
        /// Its address.
        open: Url,
    },
    /// How the verb ended.
    Reply(Reply),
}

impl Op {
    /// Whether it hands an agent out, or what stands for one.
    pub const fn pairs(&self) -> bool {
        matches!(self, Self::AgentAdd { .. } | Self::AgentRotate { .. } | Self::AgentRebind { .. })
    }

    /// Whether it means nothing while no Countersign runs.
    pub const fn needs_one_that_runs(&self) -> bool {
        matches!(
            self,
            Self::Fetch { .. }
                | Self::GatewayAdd { .. }
                | Self::GatewayList
                | Self::GatewayRemove { .. }
                | Self::GatewayLogin { .. }
                | Self::GatewayLogout { .. }
                | Self::WalletUnlock { .. }
                | Self::WalletLock
        )
    }

    /// The verb, for messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WalletCreate { .. } => "wallet create",
            Self::WalletImport { .. } => "wallet import",
            Self::WalletList => "wallet list",
            Self::WalletAssign { .. } => "wallet assign",
            Self::WalletUnlock { .. } => "wallet unlock",
            Self::WalletLock => "wallet lock",
            Self::AgentAdd { .. } => "agent add",
            Self::AgentRotate { .. } => "agent rotate",
            Self::AgentRebind { .. } => "agent rebind",
            Self::Raise { .. } => "a second start",
            Self::AgentList => "agent list",
            Self::AgentRevoke { .. } => "agent revoke",
            Self::PolicyShow => "policy show",
            Self::PolicySet { .. } => "policy set",
            Self::PolicyExplain { .. } => "policy explain",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::History { .. } => "history",
            Self::Payment { .. } => "payment",
            Self::Verify => "verify",
            Self::Confirm { .. } => "confirm",
            Self::GatewayAdd { .. } => "gateway add",
            Self::GatewayList => "gateway list",
            Self::GatewayRemove { .. } => "gateway remove",
            Self::GatewayLogin { .. } => "gateway login",
            Self::GatewayLogout { .. } => "gateway logout",
            Self::AlipaySetup { .. } => "alipay setup",
            Self::AlipayCheck => "alipay check",
            Self::AlipayShow => "alipay show",
            Self::AlipayNotice { .. } => "alipay notice",
            Self::AlipayRemove => "alipay remove",
            Self::AlipayWatch { watched: true, .. } => "alipay watch",
            Self::AlipayWatch { watched: false, .. } => "alipay unwatch",
            Self::StripeSetup { .. } => "stripe setup",
            Self::StripeCheck => "stripe check",
            Self::StripeShow => "stripe show",
            Self::StripeRemove => "stripe remove",
            Self::Fetch { .. } => "fetch",
        }
    }

    /// What the person must agree to while Countersign runs; `None` where nothing is loosened.
    pub fn loosens(&self, now: Option<&Policy>, reference: &str) -> Option<(Said, Vec<Said>)> {
        let one = |title: Said, line: Said| Some((title, vec![line]));
        match self {
            Self::WalletCreate { label } => one(Said::AskWallet { label: clean(label) }, Said::FirstWallet {}),
            Self::WalletImport { label, .. } => one(Said::AskImport { label: clean(label) }, Said::FirstWallet {}),
            Self::AgentAdd { name, ask_everything: true } => {
                one(Said::AskCareful { agent: clean(name) }, Said::AsksAll {})
            }
            Self::AgentAdd { name, ask_everything: false } => {
                one(Said::AskAgent { agent: clean(name) }, Said::RulesApply {})
            }
            Self::AgentRotate { name } => one(Said::AskToken { agent: clean(name) }, Said::NewToken {}),
            Self::AgentRebind { name } => one(Said::AskRebind { agent: clean(name) }, Said::Rebinds {}),
            Self::WalletAssign { wallet, agent } => {
                one(Said::AskAssign { agent: clean(agent) }, Said::PaysFrom { wallet: clean(wallet) })
            }
            Self::Resume { agent: None } => one(Said::AskResume {}, Said::Resumes {}),
            Self::Resume { agent: Some(name) } => {
                one(Said::AskResumeAgent { agent: clean(name) }, Said::ResumesAgent {})
            }
            Self::GatewayAdd { name, target } => {
                let mut lines = target.lines();
                lines.push(Said::UpstreamPaid {});
                Some((Said::AskUpstream { upstream: name.to_string() }, lines))
            }
            Self::AlipaySetup { said, .. } => Some((Said::AskMerchant {}, said.lines())),
            Self::AlipayRemove => one(Said::AskMerchantGone {}, Said::MerchantGone {}),
            Self::StripeSetup { said, key } => Some((Said::AskCard {}, said.lines(key))),
            Self::StripeRemove => one(Said::AskCardGone {}, Said::CardGone {}),
            Self::PolicySet { toml } => {
                let new = Policy::parse(toml, reference).ok()?;
                match policy::compare(now?, &new) {
                    policy::Change::Looser(what) => {
                        Some((Said::AskLimits {}, what.iter().map(|one| one.said(reference)).collect()))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A secret as text on the wire. Text without escapes, as a key is, is read in place: the line it stands in is its only copy.
mod carried {
    use super::Secret;
    use serde::{Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(secret.expose()).map_err(|_| ser::Error::custom("a key is text"))?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        from.deserialize_str(Text)
    }

    struct Text;

    impl de::Visitor<'_> for Text {
        type Value = Secret;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a key")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
            Ok(Secret::copy_of(text.as_bytes()))
        }
    }
}
