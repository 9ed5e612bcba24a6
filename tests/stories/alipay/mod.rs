//! Alipay through the same desk: a double of its gateway that the official SDK vouches for, pages, refunds, and answers that bend.

mod bent;
mod official;
