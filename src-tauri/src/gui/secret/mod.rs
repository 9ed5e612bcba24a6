//! The room of the `secret` window: the only place of the desktop where a key, a recovery phrase or a passphrase is shown or typed.
//!
//! One sitting at a time, opened for one task by the main window, which learns nothing of it; no other begins before it ended. A new
//! wallet is kept only after the person said some of its words back.

#[cfg(test)]
mod tests;
mod typed;
mod view;

pub use view::{GuardedBy, SecretDone, SecretError, SecretStep, SecretTask, SecretView};

use countersign_core::text::clean;
use countersign_vault::{
    Vault, VaultError, Wallet,
    keys::{Guarded, KeysError, Secret, merchant_public_key, phrase},
};
use std::{
    io::Write as _,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    environment::UI_AUTOMATION,
    people::view::{KeptIn, WalletName},
    preferences::Language,
};
use crate::alipay::setup;
use typed::Typed;

/// How many words are asked for.
const ASKED: usize = 3;
/// The least number of characters of a passphrase.
const LEAST: usize = 10;
/// Most characters of a wallet's name.
const LABEL: usize = 40;

type Told<T> = Result<T, SecretError>;

/// Everything the window can ask for.
pub struct Room {
    vault: Vault,
    sitting: Mutex<Option<Sitting>>,
    /// How many there were.
    begun: AtomicU64,
}

/// What the window was opened for, and the words it has shown.
struct Sitting {
    number: u64,
    task: SecretTask,
    phrase: Option<Secret>,
    places: Vec<usize>,
}

impl Room {
    /// An empty room over this vault.
    pub fn new(vault: Vault) -> Self {
        Self { vault, sitting: Mutex::default(), begun: AtomicU64::new(0) }
    }

    /// Begins a sitting, unless there is one: that stays as it is. Returns the number of the one there is.
    pub fn begin(&self, task: SecretTask) -> Told<u64> {
        if let SecretTask::Export { address } | SecretTask::Remove { address } = &task {
            self.wallet(address)?;
        }
        let begun = || {
            let number = self.begun.fetch_add(1, Ordering::SeqCst);
            Sitting { number, task, phrase: None, places: Vec::new() }
        };
        Ok(self.lock().get_or_insert_with(begun).number)
    }

    /// The number of the sitting there is.
    pub fn sitting(&self) -> Option<u64> {
        self.lock().as_ref().map(|sitting| sitting.number)
    }

    /// This sitting is over, with all that was shown; another one is not.
    pub fn end(&self, number: u64) {
        self.lock().take_if(|sitting| sitting.number == number);
    }

    /// What the window starts with.
    pub async fn view(&self, language: Language) -> Told<SecretView> {
        let task = self.task()?;
        // From the store itself: whatever is there would be replaced, in use or not.
        let merchant = match &task {
            SecretTask::Merchant => self.vault.merchant().await.map_err(told)?,
            _ => None,
        };
        let wallet = match &task {
            SecretTask::Export { address } | SecretTask::Remove { address } => Some(self.wallet(address)?),
            _ => None,
        };
        Ok(SecretView {
            task,
            wallet: wallet.map(|wallet| WalletName { label: clean(&wallet.label), address: wallet.address }),
            guarded: self.vault.guarded().into(),
            kept: KeptIn::of(self.vault.keys_kept()),
            language,
            red_band: UI_AUTOMATION,
            least: u32::try_from(LEAST).unwrap_or(u32::MAX),
            merchant: merchant.map(|merchant| clean(&merchant.app_id)),
        })
    }

    /// Carries a step out. `downloads`: where files go.
    pub async fn step(&self, step: SecretStep, downloads: &Path) -> Told<SecretDone> {
        match (self.task()?, step) {
            (SecretTask::Create, SecretStep::Words) => self.words(),
            (SecretTask::Create, SecretStep::Written) => self.places(),
            (SecretTask::Create, SecretStep::Check { label, words }) => self.check(&label, &words).await,
            (SecretTask::Import, SecretStep::ImportKey { label, key }) => {
                Ok(made_of(self.vault.import_wallet(key.0, &named(&label)).await?))
            }
            (SecretTask::Import, SecretStep::ImportPhrase { label, phrase }) => {
                Ok(made_of(self.vault.import_phrase(phrase.0, &named(&label)).await?))
            }
            (SecretTask::Import, SecretStep::ImportFile { label, file, passphrase }) => {
                Ok(made_of(self.vault.import_keystore(file.0, passphrase.0, &named(&label)).await?))
            }
            // Whoever just made a wallet may protect it in the same sitting.
            (
                SecretTask::Passphrase | SecretTask::Create | SecretTask::Import,
                SecretStep::Passphrase { old, new, again },
            ) => {
                let new = chosen(new, &again)?;
                self.vault.set_passphrase(old.0, Some(new)).await?;
                Ok(SecretDone::Done)
            }
            (SecretTask::Passphrase, SecretStep::PassphraseAway { old }) => {
                self.vault.set_passphrase(old.0, None).await?;
                Ok(SecretDone::Done)
            }
            (SecretTask::Unlock, SecretStep::Unlock { passphrase }) => {
                self.vault.unlock_wallets(passphrase.0).await?;
                Ok(SecretDone::Done)
            }
            (SecretTask::Export { address }, SecretStep::Export { old, new, again }) => {
                let file = self.vault.export_wallet(&address, old.0, chosen(new, &again)?).await?;
                let path =
                    saved(downloads, &address, &file).map_err(|e| SecretError::Failed { text: e.to_string() })?;
                Ok(SecretDone::Saved { path })
            }
            (SecretTask::Remove { address }, SecretStep::Remove { typed }) => {
                if !typed.trim().eq_ignore_ascii_case(&address) {
                    return Err(SecretError::NotTyped);
                }
                self.vault.remove_wallet(&address).await.map_err(told)?;
                Ok(SecretDone::Done)
            }
            (SecretTask::Merchant, SecretStep::Merchant { said, key }) => {
                merchant_public_key(&key.0).map_err(|_| SecretError::NotAnRsaKey)?;
                self.merchant(&said, Some(key.0)).await
            }
            (SecretTask::Merchant, SecretStep::MerchantFresh { said }) => self.merchant(&said, None).await,
            _ => Err(SecretError::NotNow),
        }
    }

    /// What was typed here by the person is agreed to by them; what is sent at the control socket is asked about.
    async fn merchant(&self, said: &setup::MerchantSetup, key: Option<Secret>) -> Told<SecretDone> {
        let made = self.vault.set_merchant(said.merchant()?, key).await.map_err(told)?;
        Ok(SecretDone::Merchant { app_id: clean(&made.app_id) })
    }

    fn words(&self) -> Told<SecretDone> {
        // Nobody is to write down words of a wallet that could not be kept.
        if self.vault.guarded() == Guarded::Locked {
            return Err(SecretError::Locked);
        }
        let fresh = phrase::fresh()?;
        let words = split(&fresh).map(str::to_owned).collect();
        let mut sitting = self.lock();
        let sitting = sitting.as_mut().ok_or(SecretError::NotNow)?;
        (sitting.phrase, sitting.places) = (Some(fresh), Vec::new());
        Ok(SecretDone::Words { words })
    }

    fn places(&self) -> Told<SecretDone> {
        let mut sitting = self.lock();
        let sitting = sitting.as_mut().ok_or(SecretError::NotNow)?;
        let many = sitting.phrase.as_ref().map_or(0, |phrase| split(phrase).count());
        if sitting.places.is_empty() {
            sitting.places = some_of(many)?;
        }
        let place = |place: &usize| u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX);
        Ok(SecretDone::Places { places: sitting.places.iter().map(place).collect() })
    }

    async fn check(&self, label: &str, words: &[Typed]) -> Told<SecretDone> {
        let (phrase, number) = {
            let sitting = self.lock();
            let sitting = sitting.as_ref().ok_or(SecretError::NotNow)?;
            let phrase = sitting.phrase.as_ref().filter(|_| !sitting.places.is_empty()).ok_or(SecretError::NotNow)?;
            let right = |(place, word): (&usize, &Typed)| {
                let said = std::str::from_utf8(word.0.expose()).unwrap_or_default();
                split(phrase).nth(*place).is_some_and(|shown| shown.eq_ignore_ascii_case(said.trim()))
            };
            if words.len() != sitting.places.len() || !sitting.places.iter().zip(words).all(right) {
                return Err(SecretError::WrongWords);
            }
            (Secret::copy_of(phrase.expose()), sitting.number)
        };
        // What was written down stays good until a wallet is made of it.
        let made = made_of(self.vault.import_phrase(phrase, &named(label)).await?);
        if let Some(sitting) = self.lock().as_mut().filter(|sitting| sitting.number == number) {
            sitting.phrase = None;
        }
        Ok(made)
    }

    fn task(&self) -> Told<SecretTask> {
        self.lock().as_ref().map(|sitting| sitting.task.clone()).ok_or(SecretError::NotNow)
    }

    fn wallet(&self, address: &str) -> Told<Wallet> {
        let found = self.vault.wallets().into_iter().find(|wallet| wallet.address == address);
        found.ok_or(SecretError::NotNow)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sitting>> {
        self.sitting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn split(phrase: &Secret) -> impl Iterator<Item = &str> {
    std::str::from_utf8(phrase.expose()).unwrap_or_default().split(' ').filter(|word| !word.is_empty())
}

/// Some places of a phrase of so many words, in order.
fn some_of(many: usize) -> Told<Vec<usize>> {
    if many < ASKED {
        return Err(SecretError::NotNow);
    }
    let mut places = Vec::new();
    while places.len() < ASKED {
        let random = Secret::random(8).map_err(KeysError::from)?;
        for byte in random.expose() {
            let place = usize::from(*byte).checked_rem(many).unwrap_or_default();
            if places.len() < ASKED && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places.sort_unstable();
    Ok(places)
}

fn named(label: &str) -> String {
    let label: String = clean(label).chars().take(LABEL).collect();
    if label.is_empty() { "main".to_owned() } else { label }
}

fn chosen(new: Typed, again: &Typed) -> Told<Secret> {
    if !new.is(again) {
        return Err(SecretError::NotSame);
    }
    if new.length() < LEAST {
        return Err(SecretError::TooShort);
    }
    Ok(new.0)
}

fn made_of(wallet: Wallet) -> SecretDone {
    SecretDone::Made { label: clean(&wallet.label), address: wallet.address }
}

fn told(error: VaultError) -> SecretError {
    match error {
        VaultError::Locked => SecretError::Locked,
        other => SecretError::Failed { text: other.to_string() },
    }
}

/// A new file that nobody else may read; never one that is there.
fn saved(dir: &Path, address: &str, text: &str) -> std::io::Result<String> {
    let name = format!("countersign-wallet-{}", address.chars().take(10).collect::<String>());
    let (path, mut file) = super::activity::fresh_file(dir, &name, "json")?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(path.display().to_string())
}
