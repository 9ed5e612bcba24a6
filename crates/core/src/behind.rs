//! The program behind a connection, held against the one its agent is bound to.
//!
//! Programs are told apart by the file that asks, not by what started it: the same client is started by a shell today and by
//! a desktop tomorrow. One interpreter is one file, whatever it runs. So it is evidence: it can make a payment ask, and a rule
//! may want it; it never lets one through that would ask without it.

use crate::payment::Program;

/// What is known of who asks, beside the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// The system named no program, as over TCP.
    Unseen,
    /// A program, and the agent is bound to none.
    Unbound(Program),
    /// The program the agent is bound to.
    Bound(Program),
    /// Another than the one at this path, to which the agent is bound.
    Changed(Program, String),
}

impl Behind {
    /// What a connection shows, and what the agent is bound to.
    pub fn of(program: Option<Program>, bound: Option<&str>) -> Self {
        match (program, bound) {
            (None, _) => Self::Unseen,
            (Some(program), None) => Self::Unbound(program),
            (Some(program), Some(bound)) if program.path == bound => Self::Bound(program),
            (Some(program), Some(bound)) => Self::Changed(program, bound.to_owned()),
        }
    }

    /// The program, if one was seen.
    pub const fn program(&self) -> Option<&Program> {
        match self {
            Self::Unseen => None,
            Self::Unbound(program) | Self::Bound(program) | Self::Changed(program, _) => Some(program),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_asks_counts_and_not_what_started_it() {
        let program = |path: &str, parent: Option<&str>| Program {
            path: path.into(),
            parent: parent.map(Into::into),
            process: None,
        };
        let node = program("/usr/bin/node", Some("/usr/bin/bash"));
        assert_eq!(Behind::of(None, Some("/usr/bin/node")), Behind::Unseen);
        assert_eq!(Behind::of(Some(node.clone()), None), Behind::Unbound(node.clone()));
        assert_eq!(Behind::of(Some(node.clone()), Some("/usr/bin/node")), Behind::Bound(node.clone()));
        let other = program("/usr/bin/node", Some("/usr/bin/code"));
        assert_eq!(Behind::of(Some(other.clone()), Some("/usr/bin/node")), Behind::Bound(other));
        assert_eq!(
            Behind::of(Some(node.clone()), Some("/usr/bin/bash")),
            Behind::Changed(node, "/usr/bin/bash".to_owned())
        );
    }
}
