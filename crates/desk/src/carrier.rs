//! The port to a server that is called through us: it makes the call once more, with the credential.
//!
//! The unpaid call was made by whoever built the request. Pricing, asking, signing, the ledger and repeats are those of every
//! other payment.

use async_trait::async_trait;
use countersign_core::{payment::Quote, policy::Risk, rail::Credential};
use std::{collections::BTreeSet, fmt};

use crate::wire::Answer;

/// One call of somebody else's tool.
#[async_trait]
pub trait Carrier: Send + Sync + fmt::Debug {
    /// Hears what the call costs, before it is judged; says what is odd about that.
    fn costs(&self, _quote: &Quote) -> BTreeSet<Risk> {
        BTreeSet::new()
    }

    /// Headers the call carries anyway, lower case: a credential that takes one of them is not made.
    fn headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Hears what the payment costs whose credential is about to be shown: its own price, whatever was stated since.
    fn pays(&self, _quote: &Quote) {}

    /// Makes the call with the credential; where the server asks something on the way, the same credential is shown again with the
    /// answers. What came back is told as an HTTP answer would be: 2xx the goods, 402 a refusal
    /// of the payment, anything else nobody knows.
    ///
    /// # Errors
    /// A sentence, when there was no answer: the credential may have arrived all the same.
    async fn deliver(&self, credential: &Credential) -> Result<Answer, String>;

    /// Whether there is no such server any more: then nothing is signed for it.
    fn is_gone(&self) -> bool;
}
