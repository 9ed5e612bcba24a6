//! Signals of the toolkit that Tauri does not pass on: presses with their device, coverage, mapping, a dead web process.
//!
//! Linux only. Elsewhere a window counts as visible while it exists, and nothing is known about presses and coverage.

use std::sync::{Arc, atomic::AtomicU64};
use tauri::{Manager as _, WebviewWindow};
use tokio::sync::mpsc;

use super::approver::Input;

/// Tells the stage about this window from now on, each time under the number it then has.
pub fn watch(window: &WebviewWindow, number: &Arc<AtomicU64>, inputs: &mpsc::UnboundedSender<Input>) {
    close_menus(window);
    #[cfg(target_os = "linux")]
    {
        let (number, inputs) = (number.clone(), inputs.clone());
        if let Err(error) =
            window.with_webview(move |webview| linux::watch(&webview.inner(), Teller { number, inputs }))
        {
            tracing::error!(%error, "the presses on the approval window cannot be seen; nothing can be approved");
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let (number, teller) = (number.clone(), inputs.clone());
        window.on_window_event(move |event| {
            if let tauri::WindowEvent::Focused(true) = event {
                let number = number.load(std::sync::atomic::Ordering::SeqCst);
                let _ = teller.send(Input::Sign(number, super::guard::Sign::Visible(true)));
            }
        });
    }
}

/// Shows the window and leaves the keyboard to whoever has it.
pub fn show_quietly(window: &WebviewWindow) -> tauri::Result<()> {
    #[cfg(target_os = "linux")]
    linux::show_quietly(&window.gtk_window()?);
    #[cfg(not(target_os = "linux"))]
    window.show()?;
    Ok(())
}

/// Ends the page's process, so that nothing of a question outlives it. Elsewhere the page is loaded anew.
pub fn end_page(window: &WebviewWindow) {
    // WebDriver holds on to the page.
    if super::environment::UI_AUTOMATION {
        return;
    }
    #[cfg(target_os = "linux")]
    let ended = window.with_webview(|webview| linux::end_page(&webview.inner()));
    #[cfg(not(target_os = "linux"))]
    let ended = window.reload();
    if let Err(error) = ended {
        tracing::warn!(%error, "the page of the approval window stays");
    }
    super::quiet::soon(window.app_handle());
}

/// Where a window tells what happens to it.
#[cfg(target_os = "linux")]
#[derive(Clone)]
struct Teller {
    number: Arc<AtomicU64>,
    inputs: mpsc::UnboundedSender<Input>,
}

#[cfg(target_os = "linux")]
impl Teller {
    fn tell(&self, input: impl FnOnce(u64) -> Input) {
        let _ = self.inputs.send(input(self.number.load(std::sync::atomic::Ordering::SeqCst)));
    }
}

/// No context menu, with its reload and inspect.
pub fn close_menus(window: &WebviewWindow) {
    #[cfg(target_os = "linux")]
    if let Err(error) = window.with_webview(|webview| linux::no_context_menu(&webview.inner())) {
        tracing::warn!(%error, "the context menu stays");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = window;
}

/// How long a question must stand still on this display.
pub fn arm_time() -> super::guard::Tick {
    #[cfg(target_os = "linux")]
    if linux::is_wayland() {
        return super::guard::ARM_WAYLAND;
    }
    super::guard::ARM
}

/// Opens the display before Tauri does, which would panic without one.
pub fn open_display() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let none = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
        if none("DISPLAY") && none("WAYLAND_DISPLAY") {
            anyhow::bail!("there is no display; run `countersign serve` to answer questions in the terminal");
        }
        if let Err(error) = gtk::init() {
            anyhow::bail!(
                "the display cannot be opened ({error}); run `countersign serve` to answer questions in the terminal"
            );
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use gtk::{gdk, glib::Propagation, prelude::*};
    use std::time::Duration;
    use webkit2gtk::{WebProcessTerminationReason, WebView, WebViewExt as _};

    use super::Teller;
    use crate::gui::{
        approver::Input,
        guard::Sign,
        press::{Press, Stroke},
    };

    pub fn watch(webview: &WebView, teller: Teller) {
        presses(webview, &teller);
        let dead = teller.clone();
        webview.connect_web_process_terminated(move |webview, reason| {
            if reason != WebProcessTerminationReason::TerminatedByApi {
                tracing::error!(?reason, "the approval window's page died; what it asked is refused");
                dead.tell(Input::Closed);
                if let Some(top) = webview.toplevel() {
                    top.hide();
                }
            }
        });
        let Some(top) = webview.toplevel() else {
            tracing::error!("the approval window has no frame; nothing can be approved");
            return;
        };
        let tell = move |sign| teller.tell(|number| Input::Sign(number, sign));
        top.add_events(gdk::EventMask::VISIBILITY_NOTIFY_MASK);
        let visible = tell.clone();
        top.connect_map(move |_| visible(Sign::Visible(true)));
        let visible = tell.clone();
        top.connect_unmap(move |_| visible(Sign::Visible(false)));
        let iconified = tell.clone();
        top.connect_window_state_event(move |top, event| {
            let away = event.new_window_state().intersects(gdk::WindowState::ICONIFIED | gdk::WindowState::WITHDRAWN);
            iconified(Sign::Visible(top.is_mapped() && !away));
            Propagation::Proceed
        });
        top.connect_local("visibility-notify-event", false, move |values| {
            let event = values.get(1)?.get::<gdk::Event>().ok()?;
            if let Some(event) = event.downcast_ref::<gdk::EventVisibility>() {
                tell(Sign::Covered(event.state() != gdk::VisibilityState::Unobscured));
            }
            Some(false.to_value())
        });
    }

    /// How long window managers may take to decide about the focus of a new window.
    const DECIDED: Duration = Duration::from_millis(250);

    /// A window that takes no focus while it appears is given none; afterwards a click may give it.
    pub fn show_quietly(window: &gtk::ApplicationWindow) {
        window.set_focus_on_map(false);
        window.set_accept_focus(false);
        window.show_all();
        let window = window.clone();
        gtk::glib::timeout_add_local_once(DECIDED, move || window.set_accept_focus(true));
    }

    pub fn end_page(webview: &WebView) {
        webview.terminate_web_process();
    }

    fn presses(webview: &WebView, teller: &Teller) {
        let teller = teller.clone();
        let tell = move |event: &gdk::Event, what| {
            let press = Press { what, synthetic: synthetic(event) };
            tracing::debug!(?press, device = ?event.source_device().and_then(|d| d.name()), "window.press");
            teller.tell(|number| Input::Press(number, press));
        };
        let pressed = tell.clone();
        webview.connect_button_press_event(move |_, event| {
            if event.button() == 1 && event.event_type() == gdk::EventType::ButtonPress {
                pressed(event, Stroke::PointerDown);
            }
            Propagation::Proceed
        });
        let released = tell.clone();
        webview.connect_button_release_event(move |_, event| {
            if event.button() == 1 {
                released(event, Stroke::PointerUp);
            }
            Propagation::Proceed
        });
        let touched = tell.clone();
        webview.connect_touch_event(move |_, event| {
            match event.event_type() {
                gdk::EventType::TouchBegin => touched(event, Stroke::PointerDown),
                gdk::EventType::TouchEnd => touched(event, Stroke::PointerUp),
                _ => {}
            }
            Propagation::Proceed
        });
        let down = tell.clone();
        webview.connect_key_press_event(move |_, event| {
            if pays(event) {
                down(event, Stroke::KeyDown);
            }
            Propagation::Proceed
        });
        webview.connect_key_release_event(move |_, event| {
            if pays(event) {
                tell(event, Stroke::KeyUp);
            }
            Propagation::Proceed
        });
    }

    fn pays(event: &gdk::EventKey) -> bool {
        use gdk::keys::constants as key;
        [key::Return, key::KP_Enter, key::ISO_Enter, key::space, key::KP_Space].contains(&event.keyval())
    }

    /// Sent by a program: through the XTEST device, or as a message, or from nowhere.
    fn synthetic(event: &gdk::Event) -> bool {
        let device = event.source_device().and_then(|device| device.name());
        device.is_none_or(|name| name.contains("XTEST"))
    }

    pub fn no_context_menu(webview: &WebView) {
        webview.connect_context_menu(|_, _, _, _| true);
    }

    pub fn is_wayland() -> bool {
        gdk::Display::default().is_some_and(|display| display.type_().name().contains("Wayland"))
    }
}
