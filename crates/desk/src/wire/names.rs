//! Names become addresses at the moment of connecting, and only public ones, so that a name cannot change in between.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{collections::BTreeSet, error::Error, io, net::SocketAddr, sync::Arc};

use super::address::is_private;

/// Every address of a name is private.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private address")]
pub struct PrivateName;

/// Asks the system.
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Keeps the public addresses of a name; of an allowed name all.
pub struct PublicOnly {
    allowed: Arc<BTreeSet<String>>,
    names: Arc<dyn Resolve>,
}

impl PublicOnly {
    /// Over another way to resolve.
    pub fn new(allowed: Arc<BTreeSet<String>>, names: Arc<dyn Resolve>) -> Self {
        Self { allowed, names }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.contains(name.as_str());
        let found = self.names.resolve(name);
        Box::pin(async move { usable(found.await?.collect(), allowed).map(|all| Box::new(all.into_iter()) as Addrs) })
    }
}

fn usable(found: Vec<SocketAddr>, allowed: bool) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    if found.is_empty() {
        return Err(Box::new(io::Error::other("no address")));
    }
    let usable: Vec<SocketAddr> = found.into_iter().filter(|a| allowed || !is_private(a.ip())).collect();
    if usable.is_empty() { Err(Box::new(PrivateName)) } else { Ok(usable) }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Names as a test wants them.
    pub struct Table(HashMap<String, Vec<SocketAddr>>);

    impl Table {
        pub fn of<'a>(names: impl IntoIterator<Item = (String, Vec<&'a str>)>) -> Self {
            let parsed = |all: Vec<&str>| all.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect();
            Self(names.into_iter().map(|(name, all)| (name, parsed(all))).collect())
        }
    }

    impl Resolve for Table {
        fn resolve(&self, name: Name) -> Resolving {
            let found = self.0.get(name.as_str()).cloned().unwrap_or_default();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[test]
    fn of_a_name_with_both_only_the_public_addresses_are_used() {
        let both: Vec<SocketAddr> =
            ["10.0.0.1:0", "1.1.1.1:0", "[fd00::1]:0"].iter().map(|a| a.parse().unwrap()).collect();
        assert_eq!(usable(both.clone(), false).unwrap(), ["1.1.1.1:0".parse().unwrap()]);
        assert_eq!(usable(both.clone(), true).unwrap(), both);
        assert!(usable(vec!["10.0.0.1:0".parse().unwrap()], false).unwrap_err().is::<PrivateName>());
        assert!(!usable(Vec::new(), false).unwrap_err().is::<PrivateName>(), "a name that leads nowhere");
    }
}
