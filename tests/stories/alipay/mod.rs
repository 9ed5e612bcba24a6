//! Alipay through the same desk: a double of its gateway that the official SDK vouches for, pages, refunds, and answers that bend.

mod bent;
mod buyer;
mod ends;
mod kills;
mod official;
mod pages;
mod takes_over;
mod together;

/// Allows one payment of every agent without a person, so that stories of faults need none.
const OPEN: &str = "format = 1\nname = \"open\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
                    rule = [{ id = \"all\", effect = \"allow\", when = { exposure = { le = \"50.00\" } } }]\n\
                    budget = [{ id = \"day\", scope = [], window = \"rolling:24h\", max_amount = \"100.00\", on_exceed = \"deny\" }]\n";
