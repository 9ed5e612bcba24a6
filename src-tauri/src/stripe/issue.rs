//! Asks Stripe for the token of a form. The request is known by the form, so that it is one however often it is made.

use async_trait::async_trait;
use countersign_core::{rail::Card, signable::spt::Spt};
use countersign_desk::issuer::{Issuer, NotIssued};
use countersign_rails::mpp::{Issued, issued};
use countersign_vault::keys::KeysError;
use url::form_urlencoded::Serializer;

use super::{Asking, Stripe};

#[async_trait]
impl Issuer for Stripe {
    async fn knock(&self) {
        self.try_again().await;
    }

    fn card(&self) -> Option<Card> {
        self.pays()
    }

    async fn issue(&self, form: &Spt) -> Result<String, NotIssued> {
        let (profile, key) = match self.key_for(form).await {
            Ok(found) => found,
            // What was issued once was shown to nobody, and never will be.
            Err(error @ (KeysError::OtherStripe | KeysError::NoStripe)) => {
                return Err(NotIssued::Refused(error.to_string()));
            }
            Err(error) => return Err(NotIssued::Unclear(error.to_string())),
        };
        let body = Serializer::new(String::new()).extend_pairs(form.parameters()).finish();
        let headers =
            [("content-type", "application/x-www-form-urlencoded".to_owned()), ("idempotency-key", form.key())];
        let asking = Asking {
            method: "POST",
            path: form.path().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: body.as_bytes(),
        };
        let answer = self.send(&profile, &key, asking).await.map_err(NotIssued::Unclear)?;
        match issued(form, answer.status, &answer.body) {
            Issued::Token(token) => Ok(token),
            Issued::Refused(why) => Err(NotIssued::Refused(why)),
            Issued::Unclear(why) => Err(NotIssued::Unclear(why)),
        }
    }
}
