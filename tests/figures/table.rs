//! The table of figures, and the little statistics it needs.

use serde_json::{Value, json};
use std::{fmt, time::Duration};

/// One line: what was measured, against what, and the bar it was asked to meet.
struct Row {
    name: String,
    ours: String,
    against: String,
    ratio: f64,
    bar: String,
}

/// All lines.
#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Adds two durations.
    pub fn durations(&mut self, name: &str, ours: Duration, against: Duration, bar: &str) {
        self.add(
            name,
            &format!("{:.3} ms", ours.as_secs_f64() * 1e3),
            &format!("{:.3} ms", against.as_secs_f64() * 1e3),
            ours.as_secs_f64() / against.as_secs_f64(),
            bar,
        );
    }

    /// Adds any two figures and their ratio.
    pub fn add(&mut self, name: &str, ours: &str, against: &str, ratio: f64, bar: &str) {
        eprintln!("{name}: {ours} against {against}");
        self.0.push(Row {
            name: name.to_owned(),
            ours: ours.to_owned(),
            against: against.to_owned(),
            ratio,
            bar: bar.to_owned(),
        });
    }

    /// The table as JSON.
    pub fn json(&self) -> Value {
        let rows = self.0.iter().map(|r| json!({"name": r.name, "ours": r.ours, "against": r.against, "ratio": (r.ratio * 1000.0).round() / 1000.0, "bar": r.bar}));
        Value::Array(rows.collect())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | ours | against | ratio | bar |\n|---|---|---|---|---|")?;
        for r in &self.0 {
            writeln!(f, "| {} | {} | {} | {:.2} | {} |", r.name, r.ours, r.against, r.ratio, r.bar)?;
        }
        Ok(())
    }
}

/// The duration below which `percent` of the sorted samples lie.
pub fn percentile(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    let at = (samples.len() * percent / 100).min(samples.len() - 1);
    samples[at]
}
