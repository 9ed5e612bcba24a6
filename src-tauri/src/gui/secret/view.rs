//! What the `secret` window is told and what it says. Nothing here is ever sent to another window.

use countersign_vault::keys::{Guarded, KeysError};
use serde::{Deserialize, Serialize};
use std::fmt;
#[cfg(test)]
use ts_rs::TS;

use super::{
    super::{
        people::view::{KeptIn, WalletName},
        preferences::Language,
    },
    typed::Typed,
};
use crate::alipay::setup::{self, NotAMerchant};

/// What the window was opened for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SecretTask {
    /// A new wallet with its recovery phrase.
    Create,
    /// A key, a recovery phrase or a keystore file taken over.
    Import,
    /// The passphrase set, changed or taken away.
    Passphrase,
    /// The wallets opened.
    Unlock,
    /// A wallet written into a file.
    Export { address: String },
    /// A wallet removed.
    Remove { address: String },
    /// The merchant at Alipay set up, in the place of the one before.
    Merchant,
}

/// What the window starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct SecretView {
    pub task: SecretTask,
    /// The wallet it is about, if it is about one.
    pub wallet: Option<WalletName>,
    pub guarded: GuardedBy,
    pub kept: KeptIn,
    pub language: Language,
    /// See [`super::super::environment::UI_AUTOMATION`].
    pub red_band: bool,
    /// The least number of characters of a passphrase.
    pub least: u32,
    /// The app of the merchant there is, which another one would replace.
    pub merchant: Option<String>,
}

/// What guards the keys beside the place they are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum GuardedBy {
    /// Nothing.
    Nothing,
    /// A passphrase that was typed.
    Open,
    /// A passphrase that has to be typed.
    Locked,
}

impl From<Guarded> for GuardedBy {
    fn from(guarded: Guarded) -> Self {
        match guarded {
            Guarded::No => Self::Nothing,
            Guarded::Open => Self::Open,
            Guarded::Locked => Self::Locked,
        }
    }
}

/// One thing the person did in the window.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretStep {
    /// Wants to see new words; those from before are forgotten.
    Words,
    /// Has written them down.
    Written,
    /// Says the words at the places asked for.
    Check {
        label: String,
        #[cfg_attr(test, ts(type = "Array<string>"))]
        words: Vec<Typed>,
    },
    ImportKey {
        label: String,
        #[cfg_attr(test, ts(type = "string"))]
        key: Typed,
    },
    ImportPhrase {
        label: String,
        #[cfg_attr(test, ts(type = "string"))]
        phrase: Typed,
    },
    ImportFile {
        label: String,
        #[cfg_attr(test, ts(type = "string"))]
        file: Typed,
        #[cfg_attr(test, ts(type = "string"))]
        passphrase: Typed,
    },
    /// `old` is empty where none is set.
    Passphrase {
        #[cfg_attr(test, ts(type = "string"))]
        old: Typed,
        #[cfg_attr(test, ts(type = "string"))]
        new: Typed,
        #[cfg_attr(test, ts(type = "string"))]
        again: Typed,
    },
    /// Works without one from here on.
    PassphraseAway {
        #[cfg_attr(test, ts(type = "string"))]
        old: Typed,
    },
    Unlock {
        #[cfg_attr(test, ts(type = "string"))]
        passphrase: Typed,
    },
    /// `old` is the passphrase of the wallets, `new` that of the file.
    Export {
        #[cfg_attr(test, ts(type = "string"))]
        old: Typed,
        #[cfg_attr(test, ts(type = "string"))]
        new: Typed,
        #[cfg_attr(test, ts(type = "string"))]
        again: Typed,
    },
    Remove {
        /// The address, typed.
        typed: String,
    },
    /// A merchant with a private key of its own.
    Merchant {
        said: setup::MerchantSetup,
        #[cfg_attr(test, ts(type = "string"))]
        key: Typed,
    },
    /// A merchant whose private key is made here.
    MerchantFresh { said: setup::MerchantSetup },
}

/// What came of it.
#[derive(PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum SecretDone {
    /// The words, to be written down.
    Words { words: Vec<String> },
    /// Which words are asked for, from 1.
    Places { places: Vec<u32> },
    /// A wallet that was not there before.
    Made { label: String, address: String },
    /// A file with the wallet.
    Saved { path: String },
    /// The merchant is set up.
    Merchant { app_id: String },
    /// Nothing more to say.
    Done,
}

/// Says what it is and nothing of what stands in it.
impl fmt::Debug for SecretDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Words { .. } => "Words",
            Self::Places { .. } => "Places",
            Self::Made { .. } => "Made",
            Self::Saved { .. } => "Saved",
            Self::Merchant { .. } => "Merchant",
            Self::Done => "Done",
        })
    }
}

/// Why it did not come to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretError {
    WrongWindow,
    /// The window was not opened for this.
    NotNow,
    /// A word is not the one that was shown there.
    WrongWords,
    WrongPassphrase,
    /// Too few characters.
    TooShort,
    /// The two are not the same.
    NotSame,
    /// Not the wallet's address.
    NotTyped,
    /// There is such a wallet already.
    Exists,
    /// The wallets have to be opened first.
    Locked,
    NotAKey,
    NotAPhrase,
    NotAFile,
    /// Not the number of an app at Alipay.
    NotAnApp,
    /// Not where Alipay's gateway could be.
    NotAGateway,
    /// Not a public key, so not Alipay's.
    NotAlipaysKey,
    /// Not where buyers or notices could go.
    NotAnAddress,
    /// Not an RSA private key.
    NotAnRsaKey,
    /// Anything else.
    Failed {
        text: String,
    },
}

impl From<NotAMerchant> for SecretError {
    fn from(error: NotAMerchant) -> Self {
        match error {
            NotAMerchant::App => Self::NotAnApp,
            NotAMerchant::Gateway(_) => Self::NotAGateway,
            NotAMerchant::AlipayKey(_) => Self::NotAlipaysKey,
            NotAMerchant::Address(..) => Self::NotAnAddress,
            #[cfg(feature = "ui-automation")]
            NotAMerchant::PlayMoneyOnly => Self::Failed { text: error.to_string() },
        }
    }
}

impl From<KeysError> for SecretError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::WrongPassphrase => Self::WrongPassphrase,
            KeysError::Locked => Self::Locked,
            KeysError::Exists(_) => Self::Exists,
            KeysError::NotAKey(_) => Self::NotAKey,
            KeysError::NotAPhrase(_) => Self::NotAPhrase,
            KeysError::NotAKeystore(_) => Self::NotAFile,
            other => Self::Failed { text: other.to_string() },
        }
    }
}
