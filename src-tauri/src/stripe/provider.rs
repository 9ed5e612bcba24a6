//! How a token ended, in Stripe's words.

use async_trait::async_trait;
use countersign_core::{
    signable::{
        Signable,
        spt::{self, Spt},
    },
    status::Settlement,
};
use countersign_desk::{
    issue::TOKEN,
    issuer::{Issuer as _, NotIssued},
    provider::{Provider, Seen},
};
use countersign_rails::mpp::{Standing, standing};
use countersign_vault::{Outcome, Record};

use super::{Asking, Stripe};

/// Seconds after a token's end in which Stripe surely knows its request: it forgets none within a day, and no token lives an hour.
const REMEMBERED: u64 = 22 * 3600;

/// Seconds after a token's end before it is believed that nobody charged it: a charge that began in time may be shown a moment later.
const SURE: u64 = 20;

#[async_trait]
impl Provider for Stripe {
    async fn look(&self, record: &Record, forms: &[Signable]) -> Result<Seen, String> {
        let [Signable::Spt(form)] = forms else { return Err("there is no token".to_owned()) };
        let token = self.vault.detail(&record.id, TOKEN).await.map_err(|error| error.to_string())?;
        let wall = self.clock.wall().seconds();
        let over = wall > form.valid_before;
        let told_as_paid = record.outcome == Some(Outcome::Completed) || record.settlement == Settlement::Claimed;
        let token = match token.and_then(|token| String::from_utf8(token).ok()) {
            Some(token) => token,
            // Refused by Stripe: there is none.
            None if record.outcome == Some(Outcome::Failed) => return Ok(Seen::NotMoved),
            None if over => self.forgotten(form).await?,
            None => return Err("whether Stripe issued a token for it is not known yet".to_owned()),
        };
        match self.standing(form, &token).await? {
            // The number of the charge is the seller's claim; Stripe shows the payer none.
            Standing::Charged(amount) => Ok(Seen::Moved { transaction: None, amount }),
            Standing::Unused if told_as_paid => {
                Err("Stripe shows no charge, and the seller says that it was paid".to_owned())
            }
            Standing::Unused if wall > form.valid_before.saturating_add(SURE) => Ok(Seen::Over),
            Standing::Unused | Standing::Open => Ok(Seen::NotMoved),
            Standing::Unclear => Err("Stripe could not say".to_owned()),
        }
    }

    fn can_look(&self, record: &Record) -> bool {
        let pays = |card: countersign_core::rail::Card| {
            spt::account(&card.payment_method) == record.quote.wallet && card.live != record.quote.testnet
        };
        self.pays().is_some_and(pays)
    }
}

impl Stripe {
    /// The token of a form that was over before anybody wrote its token down. While Stripe knows requests by their keys, the same
    /// request is answered as it was then; a new one of this form could not be charged any more.
    async fn forgotten(&self, form: &Spt) -> Result<String, String> {
        if self.clock.wall().seconds() > form.valid_before.saturating_add(REMEMBERED) {
            return Err("whether Stripe issued a token for it cannot be learnt any more".to_owned());
        }
        self.issue(form).await.map_err(|error| match error {
            NotIssued::Refused(why) | NotIssued::Unclear(why) => why,
        })
    }

    async fn standing(&self, form: &Spt, token: &str) -> Result<Standing, String> {
        let (profile, key) = self.key_for(form).await.map_err(|error| error.to_string())?;
        let path = format!("{}/{token}", spt::seen_at(form.live));
        let asking = Asking { method: "GET", path, headers: Vec::new(), body: &[] };
        let answer = self.send(&profile, &key, asking).await?;
        Ok(standing(form, token, answer.status, &answer.body))
    }
}
