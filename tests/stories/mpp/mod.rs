//! MPP through the same desk: the official server on a real chain, hostile servers, questions that outlive their price.

mod asked;
mod hostile;
mod official;
mod tempo;
