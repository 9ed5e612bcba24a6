//! What is being paid with: assets and networks, by their CAIP names.

use alloy_primitives::Address;
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// Why a text names no asset or network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an asset or network id")]
pub struct IdError;

/// A CAIP-2 network such as `eip155:8453`. No leading zeros: `eip155:084532` is another text, not another way to write one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Network(String);

impl Network {
    /// The EVM chain with this id.
    pub fn eip155(chain: u64) -> Self {
        Self(format!("eip155:{chain}"))
    }

    /// The EVM chain id, if it is an EVM chain.
    pub fn chain_id(&self) -> Option<u64> {
        self.0.strip_prefix("eip155:")?.parse().ok()
    }

    /// The CAIP-2 text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Network {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (space, reference) = text.split_once(':').ok_or(IdError)?;
        let plain = |s: &str, max: usize| {
            !s.is_empty() && s.len() <= max && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !plain(space, 8) || !plain(reference, 32) {
            return Err(IdError);
        }
        if space == "eip155" {
            let digits = reference.bytes().all(|b| b.is_ascii_digit()) && !reference.starts_with('0');
            if !digits || reference.parse::<u64>().is_err() {
                return Err(IdError);
            }
        }
        Ok(Self(text.to_owned()))
    }
}

/// An asset: CAIP-19 for chains (`eip155:8453/erc20:0x…`, EIP-55 case), `iso4217:CNY` for fiat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AssetId(String);

impl AssetId {
    /// The ERC-20 token at `token` on `network`.
    pub fn erc20(network: &Network, token: Address) -> Self {
        Self(format!("{}/erc20:{token}", network.as_str()))
    }

    /// The network this asset lives on; none for fiat.
    pub fn network(&self) -> Option<Network> {
        self.0.split_once('/').and_then(|(network, _)| network.parse().ok())
    }

    /// The token contract, for an ERC-20.
    pub fn token(&self) -> Option<Address> {
        self.0.split_once("/erc20:").and_then(|(_, token)| token.parse().ok())
    }

    /// The CAIP text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if let Some(code) = text.strip_prefix("iso4217:") {
            let plain = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
            return if plain { Ok(Self(text.to_owned())) } else { Err(IdError) };
        }
        let (network, token) = text.split_once("/erc20:").ok_or(IdError)?;
        Ok(Self::erc20(&network.parse()?, parse_address(token)?))
    }
}

/// Reads `0x` and 40 hex digits; mixed case must carry the right EIP-55 checksum.
pub fn parse_address(text: &str) -> Result<Address, IdError> {
    let hex = text.strip_prefix("0x").ok_or(IdError)?;
    if hex.len() != 40 {
        return Err(IdError);
    }
    let mixed = hex.bytes().any(|b| b.is_ascii_lowercase()) && hex.bytes().any(|b| b.is_ascii_uppercase());
    if mixed {
        return Address::parse_checksummed(text, None).map_err(|_| IdError);
    }
    text.parse().map_err(|_| IdError)
}

macro_rules! text_id {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
text_id!(Network);
text_id!(AssetId);

/// How a token can be moved by a signature alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transfer {
    /// `transferWithAuthorization`, EIP-3009.
    Eip3009,
    /// Only through Uniswap's Permit2.
    Permit2,
    /// By a Tempo transaction: a TIP-20 token.
    Tip20,
}

/// An asset as our own table knows it; never as a seller describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its CAIP id.
    pub id: AssetId,
    /// The symbol we show.
    pub symbol: String,
    /// Decimal places of one unit.
    pub decimals: u8,
    /// The currency one unit is worth one of, such as `USD`.
    pub peg: Option<String>,
    /// EIP-712 domain name and version.
    pub eip712: Option<Eip712>,
    /// How it moves.
    pub transfer: Transfer,
}

/// Name and version of an EIP-712 domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eip712 {
    /// `name`
    pub name: String,
    /// `version`
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_one_spelling() {
        assert!("eip155:8453".parse::<Network>().is_ok());
        for bad in [
            "eip155:084532",
            "eip155:0",
            "eip155:",
            "eip155",
            "eip155:0x1",
            "eip155:-1",
            "eip155:99999999999999999999999",
            ":1",
            "eip155:1/2",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_in_mixed_case_carry_their_checksum() {
        assert!(parse_address("0x036CbD53842c5426634e7929541eC2318f3dCF7e").is_ok());
        assert!(parse_address("0x036cbd53842c5426634e7929541ec2318f3dcf7e").is_ok());
        for bad in
            ["0x036CbD53842c5426634e7929541eC2318f3dCF7E", "036CbD53842c5426634e7929541eC2318f3dCF7e", "0x00", ""]
        {
            assert!(parse_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn asset_ids_are_normalised() {
        let id: AssetId = "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913".parse().unwrap();
        assert_eq!(id.as_str(), "eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
        assert_eq!(id.network().and_then(|n| n.chain_id()), Some(8453));
        assert!("iso4217:CNY".parse::<AssetId>().is_ok());
        assert!("iso4217:cny".parse::<AssetId>().is_err());
    }
}
