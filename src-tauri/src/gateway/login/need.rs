//! An upstream that wants a login, or more of one: told from every other failure, and said in words an agent can act on.

use rmcp::{
    ErrorData, ServiceError,
    service::ClientInitializeError,
    transport::streamable_http_client::{AuthRequiredError, InsufficientScopeError},
};
use std::error::Error;
use url::Url;

use crate::gateway::Name;

/// What an upstream asked for when it refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its `WWW-Authenticate`.
    pub header: String,
    /// There is a login, but not for this.
    pub wider: bool,
}

impl Challenge {
    /// The challenge in an error of the library's, if it is one.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut source = Some(error);
        while let Some(at) = source {
            if let Some(missing) = at.downcast_ref::<AuthRequiredError>() {
                return Some(Self { header: missing.www_authenticate_header.clone(), wider: false });
            }
            if let Some(narrow) = at.downcast_ref::<InsufficientScopeError>() {
                return Some(Self { header: narrow.www_authenticate_header.clone(), wider: true });
            }
            source = inside(at);
        }
        None
    }

    /// The scopes it names.
    pub fn scopes(&self, at: &Url) -> Vec<String> {
        let params = rmcp::transport::auth::WWWAuthenticateParams::parse(&self.header, at);
        params.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }

    /// What the agent is told. `granted` are the scopes of the login there is.
    pub fn told(&self, name: &Name, at: &Url, granted: &[String]) -> ErrorData {
        let wanted = self.scopes(at);
        let text = if self.wider && wanted.iter().all(|scope| granted.contains(scope)) {
            format!(
                "the upstream {name} refuses this although its login has every scope it names; logging in again does not help"
            )
        } else if self.wider {
            format!(
                "the login at the upstream {name} is not enough for this: the person has to run `countersign gateway login {name}` again, then repeat this request"
            )
        } else {
            format!(
                "the upstream {name} wants a login: the person has to run `countersign gateway login {name}`, then repeat this request"
            )
        };
        ErrorData::invalid_request(text, None)
    }
}

/// What is behind an error, also where the library does not say so.
fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(ServiceError::TransportSend(sent)), _) => Some(sent),
        (_, Some(ClientInitializeError::TransportError { error, .. })) => Some(error),
        // What it said first: an upstream may let anybody begin in the older era, and do nothing more there.
        (_, Some(ClientInitializeError::LegacyFallbackFailed { discover, fallback })) => {
            Some(if Challenge::of(&**discover).is_some() { &**discover } else { &**fallback })
        }
        _ => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_what_the_person_can_do_and_when_they_can_do_nothing() {
        let (name, at) = ("mail".parse().unwrap(), Url::parse("https://mail.example/mcp").unwrap());
        let header = "Bearer error=\"insufficient_scope\", scope=\"read write\"".to_owned();
        let granted = ["read".to_owned(), "write".to_owned()];
        let missing = Challenge { header: header.clone(), wider: false };
        assert!(missing.told(&name, &at, &[]).message.contains("`countersign gateway login mail`, then"));
        let narrow = Challenge { header, wider: true };
        assert!(narrow.told(&name, &at, &granted[..1]).message.contains("`countersign gateway login mail` again"));
        assert!(narrow.told(&name, &at, &granted).message.contains("does not help"));
    }
}
