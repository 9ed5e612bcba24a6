//! Policy, doubts, pauses and locks: what decides whether money may move by itself.

use countersign_core::{Millis, approval::Said, payment::AgentName, policy::Policy};
use std::sync::Arc;

use super::Vault;
use crate::{
    config::{Confirm, Doubts, PolicyVersion, Scope, Set, SetBy},
    error::{Health, SignError, VaultError},
    keys::{Guarded, KeyStoreError, Keys, KeysError, Secret},
    ledger::verb,
};

impl Vault {
    /// What a person has to confirm.
    pub fn doubts(&self) -> Doubts {
        self.0.shared.view().doubts.clone()
    }

    /// Everything looser than what a person confirmed last, in the policy (or in a draft of one) and in the configuration.
    pub async fn to_confirm(&self, draft: Option<&Policy>) -> Result<Vec<Said>, VaultError> {
        self.0.read(|conn| verb::to_confirm(conn, &self.0.shared, draft))
    }

    /// Whether a loosening made by a command while nothing ran was accepted at this start.
    pub fn policy_changed(&self) -> bool {
        self.0.shared.view().policy_changed
    }

    /// The policy in force, bound to the configuration; none while the ledger cannot be read.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.0.shared.view().policy.clone()
    }

    /// Replaces the policy.
    pub async fn set_policy(&self, policy: Policy, by: SetBy) -> Result<Set, VaultError> {
        self.0.change(move |tx| verb::set_policy(tx, &policy, by)).await
    }

    /// Every policy there was, newest first.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, VaultError> {
        self.0.read(verb::policies)
    }

    /// Accepts what start-up or the clock found odd.
    pub async fn confirm(&self, what: Confirm) -> Result<(), VaultError> {
        let lost = matches!(self.health(), Health::ViewOnly(why) if why.starts_with("history lost"));
        if what == Confirm::History && lost {
            return self.0.restart(true).await;
        }
        self.0.change(move |tx| verb::confirm(tx, what)).await
    }

    /// Says that the clock disagrees with the world: everything asks until a person confirms it.
    pub async fn doubt_clock(&self, why: Said) -> Result<(), VaultError> {
        self.0.change(move |tx| verb::doubt_clock(tx, &why)).await
    }

    /// Stops payments, until a moment or until resumed.
    pub async fn pause(&self, scope: Scope, until: Option<Millis>) -> Result<(), VaultError> {
        self.0.change(move |tx| verb::pause(tx, &scope, until)).await
    }

    /// Lets payments go on.
    pub async fn resume(&self, scope: Scope) -> Result<(), VaultError> {
        self.0.change(move |tx| verb::resume(tx, &scope)).await
    }

    /// Whether this agent's payments are stopped, by itself or with everybody's.
    pub fn is_paused(&self, agent: &AgentName) -> bool {
        let (view, wall) = (self.0.shared.view(), self.0.shared.clock.wall());
        view.paused("", wall) || view.paused(agent.as_str(), wall)
    }

    /// Wipes the loaded keys; nothing is signed until unlocked.
    pub fn lock(&self) {
        self.0.shared.lock();
        self.0.shared.keys.forget_cached();
        self.0.hurry();
    }

    /// Tries a key store that was locked at the start, now and then. What a person locked stays locked.
    pub async fn knock(&self) -> Result<(), VaultError> {
        self.0.knock().await
    }

    /// What guards the wallet keys beside the key store, as last known.
    pub fn guarded(&self) -> Guarded {
        self.0.shared.keys.guarded()
    }

    /// Opens the wallet keys with their passphrase, until they are locked.
    pub async fn unlock_wallets(&self, passphrase: Secret) -> Result<(), KeysError> {
        self.keys(move |keys, _| keys.unlock(&passphrase)).await
    }

    /// Wipes every wallet key from memory; payments need the passphrase again.
    pub fn lock_wallets(&self) {
        self.0.shared.keys.lock();
    }

    /// Locks the wallets if a passphrase opened them and none of their keys was used for so many minutes; says whether it did.
    pub fn lock_idle_wallets(&self, minutes: u32) -> bool {
        let idle = self.0.shared.idle_ms() >= i64::from(minutes).saturating_mul(60_000);
        if !idle || self.guarded() != Guarded::Open {
            return false;
        }
        self.lock_wallets();
        true
    }

    /// Sets, changes or takes away the passphrase; `old` must be the one that is set.
    pub async fn set_passphrase(&self, old: Secret, new: Option<Secret>) -> Result<(), KeysError> {
        self.keys(move |keys, wallets| {
            keys.is_passphrase(&old)?;
            keys.unlock(&old)?;
            keys.set_passphrase(&wallets, new.as_ref())
        })
        .await
    }

    /// A wallet's key as a keystore file under `under`; `passphrase` must be the one that is set.
    pub async fn export_wallet(&self, address: &str, passphrase: Secret, under: Secret) -> Result<String, KeysError> {
        let address = address.to_owned();
        self.keys(move |keys, _| {
            keys.is_passphrase(&passphrase)?;
            keys.unlock(&passphrase)?;
            keys.export(&address, &under)
        })
        .await
    }

    /// Runs something on the keys and the wallets' addresses, away from the runtime. It counts as a use of the wallets.
    pub(super) async fn keys<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Keys, Vec<String>) -> Result<T, KeysError> + Send + 'static,
    ) -> Result<T, KeysError> {
        let shared = self.0.shared.clone();
        let wallets = self.wallets().into_iter().map(|wallet| wallet.address).collect();
        self.store(move |keys| {
            shared.uses_keys();
            let done = work(keys, wallets);
            shared.uses_keys();
            done
        })
        .await
    }

    /// The same where no wallet is used: it keeps none from locking.
    pub(super) async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Keys) -> Result<T, KeysError> + Send + 'static,
    ) -> Result<T, KeysError> {
        let shared = self.0.shared.clone();
        let done = super::aside(move || work(&shared.keys)).await;
        done.map_err(|error| KeyStoreError::Failed(error.to_string()))?
    }

    /// Tries the key store again, because a person said so.
    pub async fn unlock(&self) -> Result<(), VaultError> {
        self.0.restart(false).await
    }
}

/// Why there is no key, as the desk acts on it.
pub(super) fn no_key(wallet: &str, error: KeysError) -> SignError {
    match error {
        KeysError::Slow(_) | KeysError::Locked | KeysError::Store(KeyStoreError::Locked) => SignError::Locked,
        KeysError::NoEntry(_) | KeysError::WrongKey(_) | KeysError::NotAnAddress => {
            SignError::NoKey(format!("{wallet}: {error}"))
        }
        KeysError::NoMerchant => SignError::NoMerchant(format!("{wallet}: {error}")),
        KeysError::NoStripe | KeysError::OtherStripe => SignError::NoKey(format!("{wallet}: {error}")),
        other => SignError::Failed(other.to_string()),
    }
}
