//! Whether anything on this desktop shows the icon: GNOME as it comes does not.

/// Whether a tray shows icons here. Asks the session bus, and waits for its answer.
#[cfg(target_os = "linux")]
pub fn shows() -> bool {
    use gtk::{gio, glib::ToVariant as _};
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    const PATIENCE_MS: i32 = 2000;
    let Ok(bus) = gio::bus_get_sync(gio::BusType::Session, gio::Cancellable::NONE) else { return false };
    let asked = bus.call_sync(
        Some(WATCHER),
        "/StatusNotifierWatcher",
        "org.freedesktop.DBus.Properties",
        "Get",
        Some(&(WATCHER, "IsStatusNotifierHostRegistered").to_variant()),
        None,
        gio::DBusCallFlags::NO_AUTO_START,
        PATIENCE_MS,
        gio::Cancellable::NONE,
    );
    asked.ok().and_then(|answer| answer.try_child_value(0)?.as_variant()?.get::<bool>()).unwrap_or(false)
}

/// Whether a tray shows icons here.
#[cfg(not(target_os = "linux"))]
pub const fn shows() -> bool {
    true
}
