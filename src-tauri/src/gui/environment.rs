//! What the environment may not decide: whether the window can be driven, inspected or have code loaded into it.
//! And what is decided through it: that the windows are drawn without a graphics card.

/// Whether this build takes synthetic clicks and WebDriver; such a build pays play money only.
pub const UI_AUTOMATION: bool = cfg!(feature = "ui-automation");

/// Variables that open the webview or the toolkit to others, by their beginnings.
const DOORS: &[&str] = &["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_", "GTK_DEBUG", "GTK_MODULES", "JSC_"];

/// Drops those variables. Must run before any thread starts; a `ui-automation` build keeps them.
pub fn clean_environment() {
    if UI_AUTOMATION {
        return;
    }
    let names: Vec<_> =
        std::env::vars_os().map(|(name, _)| name).filter(|name| opens(&name.to_string_lossy())).collect();
    for name in names {
        #[expect(
            unsafe_code,
            reason = "the first thing in main: no other thread exists that could read the environment"
        )]
        unsafe {
            std::env::remove_var(name);
        }
    }
}

fn opens(name: &str) -> bool {
    DOORS.iter().any(|door| name.starts_with(door))
}

/// What keeps the toolkit and the webview from the graphics card.
#[cfg(target_os = "linux")]
const UNACCELERATED: [(&str, &str); 2] = [("GDK_GL", "disable"), ("WEBKIT_DISABLE_COMPOSITING_MODE", "1")];

/// Has the windows drawn by the processor, unless the person set one of these variables. Must run before any thread starts.
///
/// The first GTK program of an X server asks the graphics driver what it can do, and so holds the driver and its compiler,
/// a third of the tray's memory, before it has a window. Our pages stand still, and without a card they came up sooner so.
pub fn draw_without_graphics_card() {
    #[cfg(target_os = "linux")]
    if UNACCELERATED.iter().all(|(name, _)| std::env::var_os(name).is_none()) {
        for (name, value) in UNACCELERATED {
            #[expect(
                unsafe_code,
                reason = "among the first things in main: no other thread exists that could read the environment"
            )]
            unsafe {
                std::env::set_var(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::opens;

    #[test]
    fn only_the_doors_are_closed() {
        for name in [
            "TAURI_WEBVIEW_AUTOMATION",
            "WEBKIT_INSPECTOR_SERVER",
            "WEBKIT_INSPECTOR_HTTP_SERVER",
            "GTK_DEBUG",
            "GTK_MODULES",
            "JSC_useJIT",
        ] {
            assert!(opens(name), "{name}");
        }
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "HOME", "GTK_THEME", "COUNTERSIGN_DATA_DIR", "XDG_RUNTIME_DIR"] {
            assert!(!opens(name), "{name}");
        }
    }
}
