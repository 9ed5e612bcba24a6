//! The ledger: one writing thread over one SQLite file; private to this crate.
//!
//! A payment is a row, its state is the last entry of a hash chain, a budget is a sum of holds. Only the writer writes, and it
//! answers nobody before its commit is durable.

mod admit;
mod again;
mod anchor;
pub(crate) mod backup;
mod body;
mod chain;
mod db;
mod detail;
mod facts;
mod fits;
mod fold;
mod handle;
mod hold;
mod job;
mod list;
mod marks;
mod note;
mod odd;
mod payees;
mod place;
pub(crate) mod reader;
mod refunds;
mod reserve;
mod setup;
mod shared;
mod start;
mod state;
mod taught;
mod time;
mod tx;
mod usage;
mod verify;
mod writer;

pub(crate) use again::Again;
pub(crate) use handle::Ledger;
pub(crate) use setup::NewToken;
pub(crate) use shared::{Dropped, Mark, View};
pub(crate) use tx::Stop;

/// What a request does inside the writer's transaction.
pub(crate) mod verb {
    pub(crate) use super::{
        admit::{admit, denies, lookup},
        again::again,
        detail::keep_shorter,
        facts::history,
        fold::by_id,
        list::{detail, explain, open, open_ids, open_one, page, policies},
        note::{advance, note, watch},
        payees::{forget, label, list as payees, names, past},
        reserve::{end_waiting, rejudge, reserve},
        setup::{
            add_agent, add_wallet, bind_agent, confirm, doubt_clock, pause, rebind_agent, remove_wallet, renew_token,
            resume, revoke_agent, rotate_agent, set_payer, set_policy,
        },
        state::to_confirm,
        usage::Fresh,
    };
}
