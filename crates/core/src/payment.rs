//! A payment: who asks, who is paid, how much, for what, and the names that hold it together.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    Millis,
    asset::{Eip712, Network},
    money::{Amount, Micro, Money},
    origin::Origin,
    policy::Risk,
};

/// Why a text is not a name of the kind wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(&'static str);

macro_rules! checked_name {
    ($(#[$meta:meta])* $name:ident, $says:literal, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let ok: fn(&str) -> bool = $check;
                if ok(text) { Ok(Self(text.to_owned())) } else { Err(NameError($says)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

checked_name!(
    /// An agent's name, given by the person: `[a-z0-9][a-z0-9_.-]{0,39}`.
    AgentName,
    "an agent's name is 1 to 40 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit",
    |t| t.len() <= 40
        && t.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
);
checked_name!(
    /// The caller's name for one purchase: 1 to 128 visible ASCII characters.
    IdempotencyKey,
    "an idempotency key is 1 to 128 visible ASCII characters",
    |t| (1..=128).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic())
);
checked_name!(
    /// Our name for one payment: `pay_` and 32 hex digits.
    PaymentId,
    "not a payment id",
    |t| t.strip_prefix("pay_").is_some_and(|h| h.len() == 32 && h.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
);
checked_name!(
    /// A session minted by us; never one a client names.
    SessionId,
    "not a session id",
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic())
);

checked_name!(
    /// One run of one program, as we saw it and never as a client names it: its number and when the kernel began it, after which run of
    /// ours. A number that is given out again begins at another time, and no name outlives the run of ours that made it.
    ProcessId,
    "not a process",
    |t| {
        let mut parts = t.split('.');
        let number = |part: Option<&str>| part.is_some_and(|t| t.parse::<u64>().is_ok_and(|n| n.to_string() == t));
        let life = |t: &str| t.len() == 16 && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        parts.next().is_some_and(life) && number(parts.next()) && number(parts.next()) && parts.next().is_none()
    }
);

impl ProcessId {
    /// The process of this number that began then, seen in this run of ours.
    pub fn seen(life: [u8; 8], pid: u32, began: u64) -> Self {
        Self(format!("{}.{pid}.{began}", alloy_primitives::hex::encode(life)))
    }

    /// Its number and when it began.
    pub fn run(&self) -> Option<(u32, u64)> {
        let (pid, began) = self.0.split_once('.')?.1.split_once('.')?;
        Some((pid.parse().ok()?, began.parse().ok()?))
    }
}

impl PaymentId {
    /// The id made of these random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("pay_{}", alloy_primitives::hex::encode(bytes)))
    }
}

/// A SHA-256 digest, hex on every wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of parts, each with its length before it, so that no two lists of parts collide.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alloy_primitives::hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        alloy_primitives::hex::decode_to_array(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a payment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Money for a thing, once.
    Pay,
    /// Money back to a buyer.
    Refund,
    /// A budgeted session or channel.
    SessionOpen,
    /// A step inside an open session.
    SessionVoucher,
    /// A standing subscription.
    SubscriptionOpen,
    /// An open mandate.
    MandateOpen,
    /// A closed mandate.
    MandateClosed,
    /// A link by which money comes in.
    ReceiveLink,
    /// A signature that is not a payment.
    Sign,
}

impl Op {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::Pay,
        Self::Refund,
        Self::SessionOpen,
        Self::SessionVoucher,
        Self::SubscriptionOpen,
        Self::MandateOpen,
        Self::MandateClosed,
        Self::ReceiveLink,
        Self::Sign,
    ];

    /// The name in policy files and on every wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Refund => "refund",
            Self::SessionOpen => "session_open",
            Self::SessionVoucher => "session_voucher",
            Self::SubscriptionOpen => "subscription_open",
            Self::MandateOpen => "mandate_open",
            Self::MandateClosed => "mandate_closed",
            Self::ReceiveLink => "receive_link",
            Self::Sign => "sign",
        }
    }
}

/// Who gets the money: the origin the request really went to, and the account that is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    /// Where the price came from.
    pub origin: Origin,
    /// The paid account; EIP-55 for EVM.
    pub account: String,
    /// The origin is only the caller's word.
    pub claimed: bool,
}

/// What is bought: never with its query, which may be private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// HTTP method.
    pub method: String,
    /// Origin and path.
    pub path: String,
    /// Digest of method, whole URL and body: tells two requests apart.
    pub request: Digest,
}

/// Who asks; travels with the payment into prompt, policy and ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The paired name behind the token.
    pub agent: AgentName,
    /// Minted by us for this connection's life.
    pub session: SessionId,
    /// The program behind the connection, where the operating system names it.
    pub program: Option<Program>,
}

/// The program behind a connection, as the operating system named it when the connection was made.
///
/// Evidence for the person and for the ledger, never permission: interpreters, shared descriptors and an `exec` after
/// connecting all blur it. Its process can only narrow what a rule lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Path of the executable that asks. Foreign text: whoever starts a program names its file.
    pub path: String,
    /// Path of the executable that started it, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The very run of it, where the system tells; none once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessId>,
}

/// A part of a price that another account gets than the payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Who gets it; EIP-55 for EVM.
    pub account: String,
    /// Atomic units of the price's asset.
    pub amount: Amount,
}

/// A price, read from an offer and our own tables; nothing in it is the seller's free text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Which protocol, as the API names it: `x402`, `mpp`.
    pub rail: String,
    /// The protocol's version.
    pub version: u8,
    /// The protocol's scheme: `exact`, `evm/charge`.
    pub scheme: String,
    /// What it does.
    pub op: Op,
    /// Who is paid.
    pub payee: Payee,
    /// The network the money moves on; none for fiat.
    pub network: Option<Network>,
    /// Whether that network carries play money.
    pub testnet: bool,
    /// The account that pays; fixed here, part of what a person sees.
    pub wallet: String,
    /// How much.
    pub money: Money,
    /// Of that, what other accounts get, in the offer's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// The most this signature can cost, in the same asset.
    pub exposure: Money,
    /// The asset's symbol, from our table.
    pub symbol: String,
    /// The asset's decimals, from our table.
    pub decimals: u8,
    /// The token's EIP-712 domain, from our table.
    pub domain: Option<Eip712>,
    /// `money` in the reference currency; none without peg or rate.
    pub amount_value: Option<Micro>,
    /// `exposure` in the reference currency.
    pub exposure_value: Option<Micro>,
    /// What is bought.
    pub resource: Resource,
    /// Seconds the offer says an authorisation should live.
    pub lifetime_seconds: u64,
    /// Whether the payment can be taken back by us.
    pub reversible: bool,
    /// What the rail and the request found odd.
    pub risks: BTreeSet<Risk>,
}

impl Quote {
    /// The end of the validity window for an authorisation signed now: at most 300 s, whatever was offered.
    pub fn valid_before(&self, now: Millis) -> u64 {
        now.seconds().saturating_add(self.lifetime_seconds.min(300))
    }

    /// Whether this is the price that `asked` was, but for how long it holds: what a person said yes to. A life that is short
    /// only now was not judged.
    pub fn same_terms(&self, asked: &Self) -> bool {
        let short = |quote: &Self| quote.risks.contains(&Risk::ShortLife);
        let lasting = |quote: &Self| {
            let mut quote = quote.clone();
            quote.lifetime_seconds = 0;
            quote.risks.remove(&Risk::ShortLife);
            quote
        };
        lasting(self) == lasting(asked) && (short(asked) || !short(self))
    }

    /// Exact asset amount with its symbol: `4.2 USDC`.
    pub fn asset_text(&self) -> String {
        self.text_of(self.exposure.amount)
    }

    /// So much of the price's asset, with its symbol.
    pub fn text_of(&self, amount: Amount) -> String {
        format!("{} {}", amount.human(self.decimals), self.symbol)
    }

    /// What the payee gets of the price: all that no other account gets. None if those get more than there is.
    pub fn payee_gets(&self) -> Option<Amount> {
        self.shares.iter().try_fold(self.money.amount, |rest, share| rest.checked_sub(share.amount))
    }

    /// The most that this costs beside the price: the network's fee, where we pay it.
    pub fn fee(&self) -> Amount {
        self.exposure.amount.checked_sub(self.money.amount).unwrap_or(Amount::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["researcher", "a", "0x.y_z-9"] {
            assert!(good.parse::<AgentName>().is_ok());
        }
        for bad in ["", "-a", "Researcher", "a b", "a/b", &"a".repeat(41)] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad}");
        }
        assert!("k".repeat(128).parse::<IdempotencyKey>().is_ok());
        for bad in ["", "a b", "é", "a\n", &"k".repeat(129)] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad}");
        }
        let id = PaymentId::from_random([7; 16]);
        assert_eq!(id.as_str().parse::<PaymentId>(), Ok(id));
        assert!("pay_ZZ".parse::<PaymentId>().is_err());
    }

    fn quote() -> Quote {
        let network = Network::eip155(8453);
        let asset = crate::asset::AssetId::erc20(&network, alloy_primitives::Address::ZERO);
        let money = Money { asset, amount: crate::money::Amount::parse_atomic("10000").unwrap() };
        Quote {
            rail: "x402".into(),
            version: 2,
            scheme: "exact".into(),
            op: Op::Pay,
            payee: Payee { origin: "https://a.example".parse().unwrap(), account: "0x1".into(), claimed: false },
            network: Some(network),
            testnet: false,
            wallet: "0x2".into(),
            money: money.clone(),
            shares: Vec::new(),
            exposure: money,
            symbol: "USDC".into(),
            decimals: 6,
            domain: Some(Eip712 { name: "USD Coin".into(), version: "2".into() }),
            amount_value: Some(Micro(10_000)),
            exposure_value: Some(Micro(10_000)),
            resource: Resource { method: "GET".into(), path: "https://a.example/x".into(), request: Digest([7; 32]) },
            lifetime_seconds: 60,
            reversible: false,
            risks: BTreeSet::new(),
        }
    }

    #[test]
    fn a_price_taken_anew_may_differ_in_its_life_and_in_nothing_else() {
        let asked = quote();
        assert!(quote().same_terms(&asked));
        assert!(Quote { lifetime_seconds: 5, ..quote() }.same_terms(&asked));
        let more = crate::money::Amount::parse_atomic("10001").unwrap();
        let changes: [fn(&mut Quote); 20] = [
            |q| q.rail = "mpp".into(),
            |q| q.version = 1,
            |q| q.scheme = "upto".into(),
            |q| q.op = Op::Sign,
            |q| q.payee.origin = "https://b.example".parse().unwrap(),
            |q| q.payee.account = "0x3".into(),
            |q| q.payee.claimed = true,
            |q| q.network = Some(Network::eip155(1)),
            |q| q.testnet = true,
            |q| q.wallet = "0x4".into(),
            |q| q.symbol = "EURC".into(),
            |q| q.decimals = 2,
            |q| q.domain = None,
            |q| q.amount_value = None,
            |q| q.exposure_value = None,
            |q| q.resource.method = "POST".into(),
            |q| q.resource.path = "https://a.example/y".into(),
            |q| q.resource.request = Digest([8; 32]),
            |q| q.reversible = true,
            |q| q.shares.push(Share { account: "0x5".into(), amount: q.money.amount }),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut other = quote();
            change(&mut other);
            assert!(!other.same_terms(&asked), "change {n}");
        }
        let amounts: [fn(&mut Quote, crate::money::Amount); 2] =
            [|q, more| q.money.amount = more, |q, more| q.exposure.amount = more];
        for change in amounts {
            let mut dearer = quote();
            change(&mut dearer, more);
            assert!(!dearer.same_terms(&asked));
        }
        for risk in Risk::ALL {
            let odd = Quote { risks: BTreeSet::from([risk]), ..quote() };
            assert!(!odd.same_terms(&asked), "{risk:?} was not judged");
            assert!(odd.same_terms(&odd));
            assert_eq!(asked.same_terms(&odd), risk == Risk::ShortLife, "{risk:?} went away");
        }
    }

    #[test]
    fn digests_of_different_part_lists_differ() {
        assert_ne!(Digest::of(&[b"ab", b"c"]), Digest::of(&[b"a", b"bc"]));
        let digest = Digest::of(&[b"x"]);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }
}
