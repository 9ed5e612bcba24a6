//! The short network names of version 1, as the official client maps them.

/// EVM names and chain ids of `@x402/evm` 2.27.
const CHAINS: &[(&str, u64)] = &[
    ("ethereum", 1),
    ("sepolia", 11_155_111),
    ("abstract", 2741),
    ("abstract-testnet", 11124),
    ("base-sepolia", 84532),
    ("base", 8453),
    ("avalanche-fuji", 43113),
    ("avalanche", 43114),
    ("iotex", 4689),
    ("sei", 1329),
    ("sei-testnet", 1328),
    ("polygon", 137),
    ("polygon-amoy", 80002),
    ("peaq", 3338),
    ("story", 1514),
    ("educhain", 41923),
    ("skale-base-sepolia", 324_705_682),
    ("megaeth", 4326),
    ("monad", 143),
    ("stable", 988),
    ("stable-testnet", 2201),
    ("celo", 42220),
    ("flare", 14),
];

/// The EVM chain of this name.
pub(super) fn chain_id(name: &str) -> Option<u64> {
    CHAINS.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Whether this has the form of a short name, known or not.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
