//! Our own table of chains and tokens, and what they are worth in the reference currency.
//!
//! The built-in part is the set the official x402 2.27 client trusts, and of Tempo what the official MPP client 0.11 pays in; a user
//! adds to it in `config.toml`. A seller never does.

use alloy_primitives::{Address, U256, address};
use std::collections::BTreeMap;

use crate::{
    asset::{Asset, AssetId, Eip712, Network, Transfer},
    money::{Amount, AmountError, Micro, ten_to},
};

/// A chain we may sign for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// CAIP-2 name.
    pub network: Network,
    /// What people call it.
    pub name: String,
    /// Whether its money is play money.
    pub testnet: bool,
    /// The block explorer's address, without a trailing slash.
    pub explorer: Option<String>,
}

/// Chains, assets and user-set rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    chains: BTreeMap<Network, Chain>,
    assets: BTreeMap<AssetId, Asset>,
    reference: String,
    rates: BTreeMap<String, Rate>,
}

/// An exact decimal exchange rate: reference units for one unit of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Micro);

impl Rate {
    /// Reads `0.14`; at most six decimals.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        Micro::parse(text).map(Self)
    }

    /// In millionths.
    pub const fn micros(self) -> Micro {
        self.0
    }
}

impl Registry {
    /// The built-in table with a reference currency and no rates.
    pub fn builtin(reference: &str) -> Self {
        let mut registry = Self {
            chains: BTreeMap::new(),
            assets: BTreeMap::new(),
            reference: reference.to_owned(),
            rates: BTreeMap::new(),
        };
        for (id, name, testnet, explorer) in CHAINS {
            let network = Network::eip155(*id);
            let explorer = (!explorer.is_empty()).then(|| format!("https://{explorer}"));
            registry.add_chain(Chain { network, name: (*name).to_owned(), testnet: *testnet, explorer });
        }
        for (chain, token, symbol, decimals, name, version, transfer) in TOKENS {
            let Ok(token) = token.parse::<Address>() else { continue };
            registry.add_asset(Asset {
                id: AssetId::erc20(&Network::eip155(*chain), token),
                symbol: (*symbol).to_owned(),
                decimals: *decimals,
                peg: Some("USD".to_owned()),
                eip712: Some(Eip712 { name: (*name).to_owned(), version: (*version).to_owned() }),
                transfer: *transfer,
            });
        }
        for (chain, token, symbol) in TIP20 {
            registry.add_asset(Asset {
                id: AssetId::erc20(&Network::eip155(*chain), *token),
                symbol: (*symbol).to_owned(),
                decimals: 6,
                peg: Some("USD".to_owned()),
                eip712: None,
                transfer: Transfer::Tip20,
            });
        }
        registry
    }

    /// Adds or replaces a chain, on the user's word.
    pub fn add_chain(&mut self, chain: Chain) {
        self.chains.insert(chain.network.clone(), chain);
    }

    /// Adds or replaces an asset, on the user's word.
    pub fn add_asset(&mut self, asset: Asset) {
        self.assets.insert(asset.id.clone(), asset);
    }

    /// Forgets every chain whose money is real, and its tokens: for builds that machines may click in.
    pub fn keep_testnets(&mut self) {
        self.chains.retain(|_, chain| chain.testnet);
        let chains = &self.chains;
        self.assets.retain(|id, _| id.network().is_some_and(|network| chains.contains_key(&network)));
    }

    /// Sets what one unit of `currency` is worth.
    pub fn set_rate(&mut self, currency: &str, rate: Rate) {
        self.rates.insert(currency.to_owned(), rate);
    }

    /// The currency policy is written in.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// What one unit of a currency is worth in the reference currency, if the person has set it.
    pub fn rate(&self, currency: &str) -> Option<Rate> {
        self.rates.get(currency).copied()
    }

    /// The chain of this name, if we know it.
    pub fn chain(&self, network: &Network) -> Option<&Chain> {
        self.chains.get(network)
    }

    /// All chains, by name.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains.values()
    }

    /// The asset of this id, if we know it.
    pub fn asset(&self, id: &AssetId) -> Option<&Asset> {
        self.assets.get(id)
    }

    /// All assets, by id.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// What `amount` is worth in the reference currency, exact, rounded up to a millionth.
    ///
    /// `None` for an asset without peg or rate.
    pub fn value(&self, asset: &Asset, amount: Amount) -> Result<Option<Micro>, AmountError> {
        let Some(peg) = &asset.peg else { return Ok(None) };
        let rate = if *peg == self.reference {
            Micro(1_000_000)
        } else {
            match self.rates.get(peg) {
                Some(Rate(rate)) => *rate,
                None => return Ok(None),
            }
        };
        let scale = ten_to(asset.decimals).ok_or(AmountError::TooLarge)?;
        let product = amount.units().checked_mul(U256::from(rate.0)).ok_or(AmountError::TooLarge)?;
        let (whole, rest) = product.div_rem(scale);
        let up = if rest.is_zero() { whole } else { whole.checked_add(U256::from(1)).ok_or(AmountError::TooLarge)? };
        u128::try_from(up).map(|v| Some(Micro(v))).map_err(|_| AmountError::TooLarge)
    }
}

/// id, name, testnet, explorer host.
const CHAINS: &[(u64, &str, bool, &str)] = &[
    (1, "Ethereum", false, "etherscan.io"),
    (14, "Flare", false, "flarescan.com"),
    (50, "XDC", false, "xdcscan.com"),
    (51, "XDC Apothem", true, "testnet.xdcscan.com"),
    (137, "Polygon", false, "polygonscan.com"),
    (143, "Monad", false, ""),
    (988, "Stable", false, ""),
    (1328, "Sei testnet", true, ""),
    (1329, "Sei", false, "seitrace.com"),
    (2201, "Stable testnet", true, ""),
    (4217, "Tempo", false, "explore.tempo.xyz"),
    (4326, "MegaETH", false, ""),
    (8453, "Base", false, "basescan.org"),
    (31611, "Mezo testnet", true, ""),
    (31612, "Mezo", false, ""),
    (36900, "ADI", false, ""),
    (38833, "Igra", false, ""),
    (42161, "Arbitrum", false, "arbiscan.io"),
    (42220, "Celo", false, "celoscan.io"),
    (42431, "Tempo Moderato", true, "explore.testnet.tempo.xyz"),
    (43114, "Avalanche", false, "snowtrace.io"),
    (72344, "Radius testnet", true, ""),
    (84532, "Base Sepolia", true, "sepolia.basescan.org"),
    (181_228, "HPP Sepolia", true, ""),
    (190_415, "HPP", false, ""),
    (421_614, "Arbitrum Sepolia", true, "sepolia.arbiscan.io"),
    (723_487, "Radius", false, ""),
    (11_142_220, "Celo Sepolia", true, ""),
];

/// chain, contract, symbol of TIP-20 tokens: a dollar each, with six decimals.
const TIP20: &[(u64, Address, &str)] =
    &[(4217, PATH_USD, "pathUSD"), (4217, USDC_E, "USDC.e"), (42431, PATH_USD, "pathUSD"), (42431, USDC_E, "USDC.e")];
const PATH_USD: Address = address!("0x20c0000000000000000000000000000000000000");
const USDC_E: Address = address!("0x20C000000000000000000000b9537d11c60E8b50");

type Token = (u64, &'static str, &'static str, u8, &'static str, &'static str, Transfer);

/// chain, contract, symbol, decimals, EIP-712 name and version, how it moves.
const TOKENS: &[Token] = &[
    (8453, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (84532, "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (1, "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (43114, "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (137, "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (42161, "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (421_614, "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", "USDC", 6, "USD Coin", "2", Transfer::Eip3009),
    (143, "0x754704Bc059F8C67012fEd69BC8A327a5aafb603", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (42220, "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (42220, "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", "USDT", 6, "Tether USD", "1", Transfer::Eip3009),
    (42220, "0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771", "USAT", 6, "Tether America USD", "1", Transfer::Eip3009),
    (11_142_220, "0x01C5C0122039549AD1493B8220cABEdD739BC44E", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (1329, "0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (1328, "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (50, "0xfA2958CB79b0491CC627c1557F441eF849Ca8eb1", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (51, "0xb5AB69F7bBada22B28e79C8FFAECe55eF1c771D4", "USDC", 6, "USDC", "2", Transfer::Eip3009),
    (988, "0x779Ded0c9e1022225f8E0630b35a9b54bE713736", "USDT0", 6, "USDT0", "1", Transfer::Eip3009),
    (2201, "0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", "USDT0", 6, "USDT0", "1", Transfer::Eip3009),
    (14, "0xe7cd86e13AC4309349F30B3435a9d337750fC82D", "USDT0", 6, "USD\u{20ae}0", "1", Transfer::Eip3009),
    (36900, "0x9cb8142aEBBcdc60AF7c97Af897A67A8f3CA71C2", "USDC.e", 6, "USDC.e", "2", Transfer::Eip3009),
    (190_415, "0x401eCb1D350407f13ba348573E5630B83638E30D", "USDC.e", 6, "Bridged USDC", "2", Transfer::Eip3009),
    (181_228, "0x401eCb1D350407f13ba348573E5630B83638E30D", "USDC.e", 6, "Bridged USDC", "2", Transfer::Eip3009),
    (4326, "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", "MegaUSD", 18, "MegaUSD", "1", Transfer::Permit2),
    (31612, "0xdD468A1DDc392dcdbEf6db6e34E89AA338F9F186", "MUSD", 18, "Mezo USD", "1", Transfer::Permit2),
    (31611, "0x118917a40FAF1CD7a13dB0Ef56C86De7973Ac503", "MUSD", 18, "Mezo USD", "1", Transfer::Permit2),
    (723_487, "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "SBC", 6, "Stable Coin", "1", Transfer::Permit2),
    (72344, "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "SBC", 6, "Stable Coin", "1", Transfer::Permit2),
    (38833, "0xA5b8BF902b2844dA17d4506cc827F7F1681735E7", "USDC", 6, "USDC", "1", Transfer::Permit2),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::parse_address;

    #[test]
    fn every_built_in_token_parses_and_its_chain_is_known() {
        let registry = Registry::builtin("USD");
        assert_eq!(registry.assets().count(), TOKENS.len() + TIP20.len());
        for (chain, token, ..) in TOKENS {
            assert!(parse_address(token).is_ok(), "{token}");
            assert!(registry.chain(&Network::eip155(*chain)).is_some(), "{chain}");
        }
        assert!(TIP20.iter().all(|(chain, ..)| registry.chain(&Network::eip155(*chain)).is_some()));
    }

    #[test]
    fn values_are_exact_and_rounded_up_to_a_millionth() {
        let mut registry = Registry::builtin("USD");
        registry.set_rate("CNY", Rate::parse("0.14").unwrap());
        let mut asset = registry.assets().find(|a| a.decimals == 6).unwrap().clone();
        let value = |r: &Registry, a: &Asset, units: &str| r.value(a, Amount::parse_atomic(units).unwrap());
        assert_eq!(value(&registry, &asset, "4200000"), Ok(Some(Micro(4_200_000))));
        asset.decimals = 18;
        assert_eq!(value(&registry, &asset, "1"), Ok(Some(Micro(1))));
        assert_eq!(value(&registry, &asset, "1000000000000"), Ok(Some(Micro(1))));
        assert_eq!(value(&registry, &asset, "1000000000001"), Ok(Some(Micro(2))));
        asset.peg = Some("CNY".into());
        asset.decimals = 2;
        assert_eq!(value(&registry, &asset, "3000"), Ok(Some(Micro(4_200_000))));
        asset.peg = Some("JPY".into());
        assert_eq!(value(&registry, &asset, "3000"), Ok(None));
        asset.peg = None;
        assert_eq!(value(&registry, &asset, "1"), Ok(None));
        asset.peg = Some("USD".into());
        assert_eq!(value(&registry, &asset, &U256::MAX.to_string()), Err(AmountError::TooLarge));
    }
}
