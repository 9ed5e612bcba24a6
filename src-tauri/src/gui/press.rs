//! The press witness: a yes needs a press and a release that the toolkit itself saw on the window, from a real device.
//!
//! A page, a script or WebDriver can call a command; none of them makes such an event. XTEST makes one, but from a device that
//! says so. Linux only: Windows and macOS give no such witness here, and there a yes rests on the armed guard alone.
//! Pure; the toolkit's signals come in from `native`.

use super::{environment::UI_AUTOMATION, guard::Tick};

/// Whether a yes needs a witness. A `ui-automation` build takes WebDriver's clicks, which no toolkit sees.
pub const NEEDED: bool = cfg!(target_os = "linux") && !UI_AUTOMATION;
/// How long a witness lasts.
const FRESH: Tick = 1000;
/// How long a key must be held to count.
const HOLD: Tick = 1000;

/// One native event on the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// What it is.
    pub what: Stroke,
    /// Whether it came from the XTEST device.
    pub synthetic: bool,
}

/// What was pressed or released. Other buttons and keys are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// The first mouse button, or a finger.
    PointerDown,
    /// It was released.
    PointerUp,
    /// Enter or Space; repeated while held.
    KeyDown,
    /// It was released.
    KeyUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Pointer,
    Key(Tick),
}

/// What was pressed lately.
#[derive(Debug, Clone, Default)]
pub struct Presses {
    held: Option<Held>,
    seen: Option<Tick>,
    refused: Option<Tick>,
}

impl Presses {
    /// Nothing pressed before counts any more: something changed on screen.
    pub fn forget(&mut self) {
        *self = Self { refused: self.refused, ..Self::default() };
    }

    /// Takes an event; one that began or ended before the guard was armed makes no witness.
    pub fn take(&mut self, now: Tick, press: Press, armed: bool) {
        if press.synthetic && !UI_AUTOMATION {
            self.held = None;
            self.refused = Some(now);
            return;
        }
        match (press.what, self.held) {
            _ if !armed => self.held = None,
            (Stroke::PointerDown, _) => self.held = Some(Held::Pointer),
            (Stroke::PointerUp, Some(Held::Pointer)) => (self.held, self.seen) = (None, Some(now)),
            (Stroke::KeyDown, None) => self.held = Some(Held::Key(now)),
            (Stroke::KeyUp, Some(Held::Key(since))) => {
                self.held = None;
                if now.saturating_sub(since) >= HOLD {
                    self.seen = Some(now);
                }
            }
            (Stroke::KeyDown, Some(_)) => {}
            (Stroke::PointerUp | Stroke::KeyUp, _) => self.held = None,
        }
    }

    /// Whether there is a witness for a yes at this moment.
    pub fn witness(&self, now: Tick) -> bool {
        let held = matches!(self.held, Some(Held::Key(since)) if now.saturating_sub(since) >= HOLD);
        held || self.seen.is_some_and(|at| now.saturating_sub(at) <= FRESH)
    }

    /// Whether a synthetic event was refused just now.
    pub fn refused_lately(&self, now: Tick) -> bool {
        self.refused.is_some_and(|at| now.saturating_sub(at) <= FRESH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn real(what: Stroke) -> Press {
        Press { what, synthetic: false }
    }

    #[test]
    fn a_press_and_its_release_on_the_armed_window_are_a_witness_for_a_second() {
        let mut presses = Presses::default();
        presses.take(1000, real(Stroke::PointerDown), true);
        assert!(!presses.witness(1000), "a press alone");
        presses.take(1100, real(Stroke::PointerUp), true);
        assert!(presses.witness(1100));
        assert!(presses.witness(2100));
        assert!(!presses.witness(2101));
    }

    #[test]
    fn a_press_that_began_before_arming_is_no_witness() {
        let mut presses = Presses::default();
        presses.take(700, real(Stroke::PointerDown), false);
        presses.take(900, real(Stroke::PointerUp), true);
        assert!(!presses.witness(900));
    }

    #[test]
    fn what_changes_on_screen_forgets_the_press() {
        let mut presses = Presses::default();
        presses.take(1000, real(Stroke::PointerDown), true);
        presses.forget();
        presses.take(1100, real(Stroke::PointerUp), true);
        assert!(!presses.witness(1100));
    }

    #[test]
    fn a_tap_on_a_key_never_pays_and_a_hold_of_a_second_does() {
        let mut presses = Presses::default();
        presses.take(0, real(Stroke::KeyDown), true);
        presses.take(500, real(Stroke::KeyDown), true);
        assert!(!presses.witness(999));
        assert!(presses.witness(1000));
        let mut tap = Presses::default();
        for n in 0..50 {
            tap.take(n * 100, real(Stroke::KeyDown), true);
            tap.take(n * 100 + 99, real(Stroke::KeyUp), true);
            assert!(!tap.witness(n * 100 + 99));
        }
    }

    #[cfg(not(feature = "ui-automation"))]
    #[test]
    fn synthetic_events_are_refused() {
        let mut presses = Presses::default();
        presses.take(1000, Press { what: Stroke::PointerDown, synthetic: true }, true);
        presses.take(1050, Press { what: Stroke::PointerUp, synthetic: true }, true);
        assert!(!presses.witness(1050));
        assert!(presses.refused_lately(1050));
        presses.take(2000, real(Stroke::PointerDown), true);
        presses.take(2001, Press { what: Stroke::PointerUp, synthetic: true }, true);
        assert!(!presses.witness(2001), "half of it synthetic");
    }
}
