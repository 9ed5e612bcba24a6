//! The life of a payment: every state, every event, and the one table that says what follows what.
//!
//! The same table is stored in the ledger and enforced there by a trigger.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word the ledger and the API use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads [`Self::as_str`] back.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == word)
            }
        }
    };
}

named! {
    /// Where a payment stands.
    Status {
        /// Denied, declined, expired or cancelled before anything was held.
        Refused = "refused",
        /// A person is being asked; nothing is held.
        Waiting = "waiting",
        /// Durable: held in every budget, nonce and window fixed. Counts as spent.
        Reserved = "reserved",
        /// Signed; the credential may have left.
        Signed = "signed",
        /// The credential left us.
        Delivered = "delivered",
        /// The money moved, on evidence.
        Settled = "settled",
        /// The window is over without evidence: still counts as spent.
        Unknown = "unknown",
        /// Proved unused; the hold is free again.
        Released = "released",
    }
}

named! {
    /// What can happen to a payment.
    Event {
        /// Policy said no.
        Denied = "denied",
        /// Policy wants a person.
        Asked = "asked",
        /// Policy or a person said yes and the hold is durable.
        Reserved = "reserved",
        /// The person said no, or closed the window.
        Declined = "declined",
        /// Nobody answered in time.
        Expired = "expired",
        /// The agent withdrew the question.
        Cancelled = "cancelled",
        /// Signatures were computed.
        Signed = "signed",
        /// The credential left us.
        Delivered = "delivered",
        /// Something worth keeping that moves nothing: a receipt, a repeat, a failed check.
        Noted = "noted",
        /// Evidence that the money moved.
        Settled = "settled",
        /// The validity window is over without evidence.
        WindowOver = "window_over",
        /// Dropped unsigned by the process life that reserved it.
        NeverSigned = "never_signed",
        /// Proof that the authorisation can never be used.
        Dead = "dead",
    }
}

/// The state after `event`, or `None` where the event is illegal. `from = None` is a new payment.
pub const fn next(from: Option<Status>, event: Event) -> Option<Status> {
    use Status as S;
    match (from, event) {
        (None, Event::Denied) => Some(S::Refused),
        (None, Event::Asked) => Some(S::Waiting),
        (None | Some(S::Waiting), Event::Reserved) => Some(S::Reserved),
        (Some(S::Waiting), Event::Denied | Event::Declined | Event::Expired | Event::Cancelled) => Some(S::Refused),
        (Some(S::Reserved), Event::Signed) => Some(S::Signed),
        (Some(S::Reserved), Event::NeverSigned) => Some(S::Released),
        (Some(S::Signed), Event::Delivered) => Some(S::Delivered),
        (Some(S::Reserved | S::Signed | S::Delivered | S::Unknown), Event::Settled) => Some(S::Settled),
        (Some(S::Reserved | S::Signed | S::Delivered), Event::WindowOver) => Some(S::Unknown),
        (Some(S::Reserved | S::Signed | S::Delivered | S::Unknown), Event::Dead) => Some(S::Released),
        (Some(S::Reserved | S::Signed | S::Delivered | S::Unknown | S::Settled), Event::Noted) => from,
        _ => None,
    }
}

impl Status {
    /// Whether the payment counts as spent.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Reserved | Self::Signed | Self::Delivered | Self::Settled | Self::Unknown)
    }

    /// The word of the API, which shows `delivered` as `signed`.
    pub const fn api(self) -> &'static str {
        match self {
            Self::Delivered => "signed",
            other => other.as_str(),
        }
    }
}

named! {
    /// What is known about the money itself.
    Settlement {
        /// Nothing heard.
        None = "none",
        /// The seller says it was paid.
        Claimed = "claimed",
        /// Seen on chain.
        Verified = "verified",
        /// The seller says it failed, or the chain contradicts the seller.
        Failed = "failed",
        /// The seller does not know.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_event_is_as_the_table_says() {
        let legal: Vec<String> = std::iter::once(None)
            .chain(Status::ALL.iter().copied().map(Some))
            .flat_map(|from| Event::ALL.iter().map(move |event| (from, *event)))
            .filter_map(|(from, event)| next(from, event).map(|to| (from, event, to)))
            .map(|(from, event, to)| {
                format!("{} --{}-> {}", from.map_or("new", Status::as_str), event.as_str(), to.as_str())
            })
            .collect();
        assert_eq!(
            legal.join("\n"),
            "new --denied-> refused\nnew --asked-> waiting\nnew --reserved-> reserved\n\
             waiting --denied-> refused\nwaiting --reserved-> reserved\nwaiting --declined-> refused\nwaiting --expired-> refused\nwaiting --cancelled-> refused\n\
             reserved --signed-> signed\nreserved --noted-> reserved\nreserved --settled-> settled\nreserved --window_over-> unknown\nreserved --never_signed-> released\nreserved --dead-> released\n\
             signed --delivered-> delivered\nsigned --noted-> signed\nsigned --settled-> settled\nsigned --window_over-> unknown\nsigned --dead-> released\n\
             delivered --noted-> delivered\ndelivered --settled-> settled\ndelivered --window_over-> unknown\ndelivered --dead-> released\n\
             settled --noted-> settled\n\
             unknown --noted-> unknown\nunknown --settled-> settled\nunknown --dead-> released"
        );
    }

    #[test]
    fn words_go_both_ways() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(*status));
        }
        for event in Event::ALL {
            assert_eq!(Event::from_word(event.as_str()), Some(*event));
        }
    }
}
