//! The arm timer: a yes counts only after the same question stood still, seen and focused, for long enough.
//!
//! Pure; time comes in as milliseconds of a clock that never goes back. The page's own disabled button is only courtesy.

/// Milliseconds of a monotonic clock.
pub type Tick = u64;

/// How long a question must have stood still.
pub const ARM: Tick = 800;
/// The same on Wayland, where a window cannot know whether it is covered or where it is.
pub const ARM_WAYLAND: Tick = 1500;
/// How long nothing can be answered between two questions.
pub const BLANK: Tick = 500;

/// What the window tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Mapped and not minimised, or not.
    Visible(bool),
    /// Has the keyboard, or not.
    Focused(bool),
    /// Something lies over it, or nothing does.
    Covered(bool),
    /// Wholly on a monitor, or not.
    OnScreen(bool),
    /// It moved.
    Moved,
    /// Its size changed.
    Resized,
    /// Its scale changed.
    Scaled,
}

/// Whether a yes would count.
#[derive(Debug, Clone)]
pub struct Guard {
    arm: Tick,
    visible: bool,
    focused: bool,
    covered: bool,
    on_screen: bool,
    item: bool,
    still_since: Tick,
}

impl Guard {
    /// A guard over a window that is not there yet.
    pub const fn new(arm: Tick) -> Self {
        Self { arm, visible: false, focused: false, covered: false, on_screen: true, item: false, still_since: 0 }
    }

    /// A new window: nothing is known about it yet.
    pub fn new_window(&mut self, now: Tick) {
        *self = Self { still_since: now, ..Self::new(self.arm) };
    }

    /// Another question, or none, is on screen.
    pub fn item(&mut self, now: Tick, shown: bool) {
        self.item = shown;
        self.still_since = now;
    }

    /// Takes a sign. `true` if the timer began anew.
    pub fn sign(&mut self, now: Tick, sign: Sign) -> bool {
        let set = |field: &mut bool, value: bool| std::mem::replace(field, value) != value;
        let restarts = match sign {
            Sign::Visible(yes) => set(&mut self.visible, yes),
            Sign::Focused(yes) => set(&mut self.focused, yes),
            Sign::Covered(yes) => set(&mut self.covered, yes),
            Sign::OnScreen(yes) => set(&mut self.on_screen, yes),
            Sign::Moved | Sign::Resized | Sign::Scaled => true,
        };
        if restarts {
            self.still_since = now;
        }
        restarts
    }

    /// When it arms if nothing happens until then; `None` while something is missing.
    pub fn arms_at(&self) -> Option<Tick> {
        let may = self.item && self.visible && self.focused && self.on_screen && !self.covered;
        may.then(|| self.still_since.saturating_add(self.arm))
    }

    /// Whether a yes counts at this moment.
    pub fn armed(&self, now: Tick) -> bool {
        self.arms_at().is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ready(now: Tick) -> Guard {
        let mut guard = Guard::new(ARM);
        guard.new_window(now);
        guard.item(now, true);
        guard.sign(now, Sign::Visible(true));
        guard.sign(now, Sign::Focused(true));
        guard
    }

    #[test]
    fn arms_after_standing_still_and_not_a_millisecond_before() {
        let guard = ready(1000);
        assert!(!guard.armed(1799));
        assert!(guard.armed(1800));
    }

    #[test]
    fn every_change_begins_anew() {
        for sign in [Sign::Moved, Sign::Resized, Sign::Scaled] {
            let mut guard = ready(0);
            assert!(guard.sign(5000, sign));
            assert!(!guard.armed(5799), "{sign:?}");
            assert!(guard.armed(5800), "{sign:?}");
        }
        let mut guard = ready(0);
        guard.item(5000, true);
        assert!(!guard.armed(5799));
        let mut guard = ready(0);
        guard.sign(4000, Sign::Focused(false));
        guard.sign(5000, Sign::Focused(true));
        assert!(!guard.armed(5799) && guard.armed(5800), "brought to the front again");
    }

    #[test]
    fn what_is_not_seen_or_not_focused_never_arms() {
        for sign in [Sign::Visible(false), Sign::Focused(false), Sign::Covered(true), Sign::OnScreen(false)] {
            let mut guard = ready(0);
            guard.sign(10, sign);
            assert!(!guard.armed(u64::MAX), "{sign:?}");
        }
    }

    #[test]
    fn a_repeated_sign_changes_nothing() {
        let mut guard = ready(0);
        assert!(!guard.sign(700, Sign::Focused(true)));
        assert!(guard.armed(800));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Sign(Sign),
        Item(bool),
        Window,
    }

    fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
        let sign = prop_oneof![
            any::<bool>().prop_map(Sign::Visible),
            any::<bool>().prop_map(Sign::Focused),
            any::<bool>().prop_map(Sign::Covered),
            any::<bool>().prop_map(Sign::OnScreen),
            Just(Sign::Moved),
            Just(Sign::Resized),
            Just(Sign::Scaled),
        ];
        let step = prop_oneof![8 => sign.prop_map(Step::Sign), 2 => any::<bool>().prop_map(Step::Item), 1 => Just(Step::Window)];
        proptest::collection::vec((0u64..1500, step), 1..60)
    }

    proptest! {
        #[test]
        fn armed_means_every_condition_held_unchanged_for_the_whole_time(steps in steps(), after in 0u64..3000) {
            let mut guard = Guard::new(ARM);
            let (mut now, mut changed) = (0, 0);
            // An independent account of the same window: what holds, and when anything last changed.
            let (mut visible, mut focused, mut covered, mut on_screen, mut item) = (false, false, false, true, false);
            for (gap, step) in steps {
                now += gap;
                let before = (visible, focused, covered, on_screen);
                match step {
                    Step::Sign(sign) => {
                        guard.sign(now, sign);
                        match sign {
                            Sign::Visible(v) => visible = v,
                            Sign::Focused(v) => focused = v,
                            Sign::Covered(v) => covered = v,
                            Sign::OnScreen(v) => on_screen = v,
                            Sign::Moved | Sign::Resized | Sign::Scaled => changed = now,
                        }
                        if before != (visible, focused, covered, on_screen) {
                            changed = now;
                        }
                    }
                    Step::Item(shown) => {
                        guard.item(now, shown);
                        (item, changed) = (shown, now);
                    }
                    Step::Window => {
                        guard.new_window(now);
                        (visible, focused, covered, on_screen, item, changed) = (false, false, false, true, false, now);
                    }
                }
            }
            let at = now + after;
            let expected = item && visible && focused && on_screen && !covered && at >= changed + ARM;
            prop_assert_eq!(guard.armed(at), expected);
        }
    }
}
