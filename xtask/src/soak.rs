//! `cargo xtask soak`: the tests that break the ledger, as long as wanted. The suite runs the same ones for seconds.

use anyhow::{Result, bail};

use crate::place::Place;
use crate::run;
use crate::setup::{self, Need};

/// One of them: where it is, and how it is told how long to go on.
struct Soak {
    name: &'static str,
    cargo: &'static [&'static str],
    filter: &'static str,
    variable: &'static str,
    usual: &'static str,
}

// Of the whole workspace, so that dependencies have the features the suite built them with.
const APP: &[&str] = &["--workspace", "--no-default-features", "--features", "faults", "--test", "stories"];
const VAULT: &[&str] = &["--workspace", "--no-default-features", "--features", "faults", "--test", "faults"];

const SOAKS: &[Soak] = &[
    Soak { name: "kills", cargo: APP, filter: "kills::", variable: "COUNTERSIGN_KILLS", usual: "10000" },
    Soak { name: "power", cargo: VAULT, filter: "power::", variable: "COUNTERSIGN_IMAGES", usual: "500000" },
    Soak { name: "model", cargo: VAULT, filter: "model::", variable: "COUNTERSIGN_CASES", usual: "3000" },
    Soak {
        name: "idle",
        cargo: APP,
        filter: "eras::the_official_clients_do_not_notice",
        variable: "COUNTERSIGN_IDLE_SECONDS",
        usual: "600",
    },
    Soak { name: "points", cargo: VAULT, filter: "points::", variable: "COUNTERSIGN_POINT_KILLS", usual: "500" },
];

/// `soak` runs all of them, `soak KILLS` the kill loop, `soak NAME [TIMES]` one of them.
pub fn run(place: &Place, words: &[String]) -> Result<()> {
    setup::for_steps(place, &[Need::Headless, Need::Conformance])?;
    for (soak, times) in choose(words)? {
        println!("\n── {} {times}", soak.name);
        let words = [&["test"], soak.cargo, &[soak.filter, "--", "--nocapture"]].concat();
        run::shown(place.cargo(&words).env(soak.variable, times))?;
    }
    Ok(())
}

fn choose(words: &[String]) -> Result<Vec<(&'static Soak, &str)>> {
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let named = |name: &str| SOAKS.iter().find(|soak| soak.name == name);
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(SOAKS.iter().map(|soak| (soak, soak.usual)).collect()),
        [_] if number(&words[0]) => Ok(SOAKS.iter().take(1).map(|soak| (soak, words[0].as_str())).collect()),
        [name] if named(name).is_some() => Ok(named(name).map(|soak| (soak, soak.usual)).into_iter().collect()),
        [name, _] if named(name).is_some() && number(&words[1]) => {
            Ok(named(name).map(|soak| (soak, words[1].as_str())).into_iter().collect())
        }
        _ => bail!(
            "soak takes nothing, a number of kills, or one of {} and how often",
            SOAKS.iter().map(|soak| soak.name).collect::<Vec<_>>().join(" ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str]) -> Option<Vec<(&'static str, String)>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let all = choose(&words).ok()?;
        Some(all.into_iter().map(|(soak, times)| (soak.name, times.to_owned())).collect())
    }

    #[test]
    fn words_choose_what_is_soaked_and_for_how_long() {
        assert_eq!(chosen(&[]).map(|all| all.len()), Some(SOAKS.len()));
        assert_eq!(chosen(&["300"]), Some(vec![("kills", "300".to_owned())]));
        assert_eq!(chosen(&["power", "1000"]), Some(vec![("power", "1000".to_owned())]));
        assert_eq!(chosen(&["points"]), Some(vec![("points", "500".to_owned())]));
        for bad in [&["power", "many"][..], &["all"], &["300", "300"], &[""]] {
            assert_eq!(chosen(bad), None, "{bad:?}");
        }
    }
}
