//! Reads how many tests passed and failed off the output of cargo, node and vitest.

/// Results of one step or of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests their runner left out.
    pub skipped: u64,
    /// What the runner said about those that failed; empty where it says it elsewhere.
    pub reasons: String,
}

impl Count {
    /// A step that counts as one test of its own.
    pub fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into(), ..Self::default() }
    }

    /// Reads every summary in `text`. A step whose text has none, or that failed although no test did, counts as one.
    pub fn read(text: &str, succeeded: bool) -> Self {
        let plain = without_colours(text);
        let mut sum = Self::default();
        plain.lines().map(line).for_each(|count| sum.add(count));
        if sum == Self::default() || (!succeeded && sum.failed == 0) {
            sum.add(Self::one(succeeded));
        }
        if sum.failed > 0 {
            sum.reasons = reasons(&plain);
        }
        sum
    }

    /// Adds another step's results.
    pub fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.reasons.push_str(&other.reasons);
    }
}

/// What cargo's tests printed and panicked with: from each list of failures to the names that close it.
fn reasons(text: &str) -> String {
    let mut told = false;
    let inside = |line: &&str| {
        told = match line.trim() {
            text if text.starts_with("---- ") => true,
            "failures:" => false,
            text if text.starts_with("test result:") => false,
            _ => told,
        };
        told
    };
    text.lines().filter(inside).flat_map(|line| [line, "\n"]).collect()
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn line(text: &str) -> Count {
    let text = text.trim();
    let mut count = Count::default();
    if let Some(rest) = text.strip_prefix("test result: ") {
        // cargo: "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; …"
        let numbers = rest.split_once(". ").map_or(rest, |(_, numbers)| numbers);
        numbers.split(';').for_each(|part| count.take(part));
    } else if let Some(rest) = text.strip_prefix("ℹ ").or_else(|| text.strip_prefix("# ")) {
        // node: "ℹ pass 12"
        if let Some((word, number)) = rest.split_once(' ') {
            count.take(&format!("{number} {word}"));
        }
    } else if let Some(rest) = text.strip_prefix("Tests ") {
        // vitest: "Tests  1 failed | 11 passed (12)"
        rest.split('|').for_each(|part| count.take(part));
    }
    count
}

impl Count {
    fn take(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        let Some(Ok(number)) = words.next().map(str::parse::<u64>) else { return };
        match words.next() {
            Some("passed" | "pass") => self.passed = number,
            Some("failed" | "fail" | "cancelled") => self.failed = self.failed.saturating_add(number),
            Some("ignored" | "skipped" | "todo") => self.skipped = self.skipped.saturating_add(number),
            _ => {}
        }
    }
}

fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passed: u64, failed: u64, skipped: u64) -> Count {
        Count { passed, failed, skipped, reasons: String::new() }
    }

    #[test]
    fn every_binary_of_a_cargo_run_is_added() {
        let text = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                    test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Count::read(text, false), count(10, 2, 1));
    }

    #[test]
    fn what_a_failed_test_said_is_kept_for_the_end() {
        let text = "test a ... FAILED\n\nfailures:\n\n---- a stdout ----\nthread 'a' panicked at x.rs:1:2:\nnot so\n\nfailures:\n    a\n\n\
                    test result: FAILED. 7 passed; 1 failed; 0 ignored\ntest b ... ok\n";
        let read = Count::read(text, false);
        assert_eq!(read.reasons, "---- a stdout ----\nthread 'a' panicked at x.rs:1:2:\nnot so\n\n");
        assert_eq!((read.passed, read.failed), (7, 1));
    }

    #[test]
    fn nodes_summary_is_read_in_both_its_forms() {
        assert_eq!(Count::read("ℹ tests 4\nℹ pass 3\nℹ fail 0\nℹ cancelled 1\nℹ skipped 2\n", false), count(3, 1, 2));
        assert_eq!(Count::read("# tests 5\n# pass 5\n# fail 0\n", true), count(5, 0, 0));
    }

    #[test]
    fn vitests_summary_counts_tests_and_not_files() {
        let text = " Test Files  1 failed | 3 passed (4)\n\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m11 passed\u{1b}[39m (12)\n";
        assert_eq!(Count::read(text, false), count(11, 1, 0));
    }

    #[test]
    fn a_step_without_a_summary_counts_as_one() {
        assert_eq!(Count::read("all formatted", true), count(1, 0, 0));
        assert_eq!(Count::read("error: could not compile", false), count(0, 1, 0));
    }

    #[test]
    fn a_step_that_failed_after_its_tests_passed_is_a_failure() {
        assert_eq!(Count::read("test result: ok. 3 passed; 0 failed; 0 ignored", false), count(3, 1, 0));
    }
}
