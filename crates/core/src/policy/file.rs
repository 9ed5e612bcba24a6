//! The effective policy. Skeleton: signatures only, everything asks.

use crate::{
    asset::AssetId,
    money::Micro,
    origin::Origin,
    payment::Digest,
};

/// Why a policy file is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML.
    #[error("the policy file is not valid TOML: {0}")]
    Syntax(String),
    /// Written in another currency than the configuration's.
    #[error("the policy is written in {file}, but the reference currency in config.toml is {config}")]
    Reference {
        /// What the file says.
        file: String,
        /// What the configuration says.
        config: String,
    },
    /// One item is wrong.
    #[error("{at}: {says}")]
    Item {
        /// Which: `rule "tiles"`, `budget "week"`, `known 3`.
        at: String,
        /// What is wrong and what to write instead.
        says: String,
    },
}

/// The effective, checked policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    name: String,
    reference: String,
}

impl Policy {
    /// Reads a policy file; refuses the whole of it on the first thing wrong.
    pub fn parse(toml: &str, reference: &str) -> Result<Self, PolicyError> {
        let _table: toml::Table = toml.parse().map_err(|e: toml::de::Error| PolicyError::Syntax(e.to_string()))?;
        Ok(Self { name: "custom".to_owned(), reference: reference.to_owned() })
    }

    /// The policy as a file that parses back to the same policy.
    pub fn to_toml(&self) -> String {
        format!("format = 1\nname = {:?}\nreference = {:?}\n", self.name, self.reference)
    }

    /// A shipped policy: `everyday` (= `balanced`), `careful`, `hands-off`, `pinned-only`, `test-network`.
    pub fn preset(name: &str, reference: &str) -> Option<Self> {
        let known = ["everyday", "balanced", "careful", "hands-off", "pinned-only", "test-network"];
        known.contains(&name).then(|| Self { name: name.to_owned(), reference: reference.to_owned() })
    }

    /// RFC 8785 canonical JSON, sorted by id.
    pub fn canonical(&self) -> String {
        serde_json::json!({ "name": self.name, "reference": self.reference }).to_string()
    }

    /// The hash a person confirms: the policy and the configuration keys that can loosen.
    pub fn hash(&self, config: &str) -> Digest {
        Digest::of(&[self.canonical().as_bytes(), config.as_bytes()])
    }

    /// Binds the policy to the configuration keys that can loosen: decisions carry [`Self::hash`] of both.
    #[must_use]
    pub fn bound_to(self, _config: &str) -> Self {
        self
    }

    /// The same policy for an agent added with `--ask-everything`.
    #[must_use]
    pub fn narrowed_to_ask(&self) -> Self {
        self.clone()
    }

    /// Whether this payee is pinned in `known`.
    pub fn is_known(&self, _origin: &Origin, _account: &str, _asset: &AssetId) -> bool {
        false
    }

    /// What a person should know about this policy.
    pub fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The amount above which the rule `ask-above` asks.
    pub fn ask_above(&self) -> Option<Micro> {
        None
    }
}
