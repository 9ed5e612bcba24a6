//! The windows. The approval window opens without taking the focus, never under the pointer, and tells the stage all that happens to it.
//!
//! The approval window is made once and hidden between questions, its page's process ended: on Linux a second private window of one
//! app gets no pages, because Tauri registers its scheme once a context and each private window has a context of its own.

use countersign_core::payment::AgentName;
use countersign_desk::Desk;
use countersign_vault::Scope;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tauri::{
    AppHandle, LogicalSize, Manager as _, PhysicalPosition, PhysicalSize, UserAttentionType, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder, WindowEvent, Wry, ipc::Channel, webview::NewWindowResponse,
};
use tokio::sync::{mpsc, watch};

use super::{
    approver::{Face, Input},
    environment::UI_AUTOMATION,
    guard::Sign,
    native,
    preferences::Kept,
    spot,
    stage::Effect,
    view::ApprovalFrame,
};

/// Label of the window that asks.
pub const APPROVAL: &str = "approval";
/// Label of the window that shows.
pub const MAIN: &str = "main";
/// Label of the window where secrets are shown and typed.
pub const SECRET: &str = "secret";

/// Size of a new approval window, without its frame.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 720.0;
/// The least it can be read in.
const LEAST_WIDTH: f64 = 320.0;
/// Room between the pointer and a new approval window, and between it and the edge of the screen.
const MARGIN: i32 = 24;

/// Opens, shows and closes the windows. Everything that touches one runs on the main thread, in order.
pub struct Windows {
    app: AppHandle,
    inputs: mpsc::UnboundedSender<Input>,
    desk: Arc<Desk>,
    preferences: Arc<Kept>,
    waiting: watch::Sender<usize>,
    /// Where the toolkit may keep what it keeps; of the approval window that is nothing but empty files.
    dir: std::path::PathBuf,
    /// Where the main window was.
    spot: std::path::PathBuf,
    /// Which opening of the approval window this is.
    number: Arc<AtomicU64>,
    /// Which sitting the window of secrets was made for last.
    sitting: AtomicU64,
    page: Mutex<Option<Channel<ApprovalFrame>>>,
}

impl Windows {
    /// Windows of an app that has none yet.
    pub fn new(
        app: AppHandle,
        inputs: mpsc::UnboundedSender<Input>,
        desk: Arc<Desk>,
        preferences: Arc<Kept>,
        dir: &std::path::Path,
    ) -> Arc<Self> {
        let (waiting, number) = (watch::channel(0).0, Arc::new(AtomicU64::new(0)));
        Arc::new(Self {
            app,
            inputs,
            desk,
            preferences,
            waiting,
            number,
            sitting: AtomicU64::new(0),
            dir: dir.join("page"),
            spot: dir.join("spot.json"),
            page: Mutex::default(),
        })
    }

    /// How many items wait, as it changes.
    pub fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// A page of the approval window listens here from now on.
    pub fn listen(&self, channel: Channel<ApprovalFrame>) {
        log(channel.send(ApprovalFrame::Speak { language: self.preferences.now().language }));
        *self.page() = Some(channel);
        let _ = self.inputs.send(Input::Attach);
    }

    /// Brings the approval window to the front. It answers nothing, and where it had not the keyboard its timer begins anew.
    pub fn present(&self) {
        self.on_main(|windows| match windows.app.get_webview_window(APPROVAL) {
            Some(window) if window.is_visible().unwrap_or(false) => log(window.set_focus()),
            Some(_) => {}
            None => windows.show_main(None),
        });
    }

    /// The same from the keyboard, and nothing where nothing is asked.
    pub fn raise(&self) {
        if *self.waiting.borrow() > 0 {
            self.present();
        }
    }

    /// Opens the main window, or brings it to the front.
    pub fn main(&self, page: Option<String>) {
        self.on_main(move |windows| windows.show_main(page));
    }

    fn show_main(&self, page: Option<String>) {
        if let Some(window) = self.app.get_webview_window(MAIN) {
            if let (Some(page), Ok(mut url)) = (page, window.url()) {
                url.set_fragment(Some(&page));
                log(window.navigate(url));
            }
            return log(window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()));
        }
        let url = page.map_or_else(|| "index.html".to_owned(), |page| format!("index.html#{page}"));
        let built = bare(WebviewWindowBuilder::new(&self.app, MAIN, WebviewUrl::App(url.into())))
            .data_directory(self.dir.join(MAIN))
            .title("Countersign")
            .inner_size(1080.0, 760.0)
            .min_inner_size(320.0, 400.0)
            .center()
            .build();
        match built {
            Ok(window) => {
                native::close_menus(&window);
                log(spot::restore(&window, &self.spot));
                let (seen, file, app) = (window.clone(), self.spot.clone(), self.app.clone());
                window.on_window_event(move |event| {
                    if matches!(event, WindowEvent::CloseRequested { .. } | WindowEvent::Focused(false)) {
                        spot::keep(&seen, &file);
                    }
                    if let WindowEvent::CloseRequested { .. } = event
                        && let Some(shell) = app.try_state::<Arc<super::Shell>>()
                    {
                        tauri::async_runtime::spawn(super::alone::closing(shell.inner().clone()));
                    }
                });
            }
            Err(error) => tracing::error!(%error, "the main window could not be opened"),
        }
    }

    /// Opens the window of secrets for this sitting, or brings it to the front: each one has a page process, and a context, of its
    /// own. That of another sitting is on its way out, and makes room for this one once it is gone.
    pub fn secret(&self, sitting: u64) {
        self.on_main(move |windows| match windows.app.get_webview_window(SECRET) {
            None => windows.open_secret(sitting),
            Some(window) if windows.sitting.load(Ordering::SeqCst) == sitting => {
                log(window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()));
            }
            Some(_) => {}
        });
    }

    fn open_secret(&self, sitting: u64) {
        if let Err(error) = self.build_secret(sitting) {
            tracing::error!(%error, "the window of secrets could not be opened");
            if let Some(shell) = self.app.try_state::<Arc<super::Shell>>() {
                shell.secret.end(sitting);
            }
        }
    }

    /// Ends the window of secrets; returns the sitting it was made for.
    pub fn end_secret(&self) -> u64 {
        self.on_main(|windows| {
            if let Some(window) = windows.app.get_webview_window(SECRET) {
                windows.put_secret_away(&window);
            }
        });
        self.sitting.load(Ordering::SeqCst)
    }

    fn put_secret_away(&self, window: &WebviewWindow) {
        log(window.hide());
        native::end_page(window);
        log(window.destroy());
    }

    fn build_secret(&self, sitting: u64) -> tauri::Result<()> {
        self.sitting.store(sitting, Ordering::SeqCst);
        let mut builder = bare(WebviewWindowBuilder::new(&self.app, SECRET, WebviewUrl::App("secret.html".into())))
            .title("Countersign keys")
            .inner_size(560.0, 720.0)
            .min_inner_size(320.0, 420.0)
            .maximizable(false)
            .center();
        builder = if UI_AUTOMATION {
            builder.data_directory(self.dir.join(MAIN))
        } else {
            builder.incognito(true).data_directory(self.dir.join(SECRET).join(sitting.to_string()))
        };
        let window = builder.build()?;
        native::close_menus(&window);
        let app = self.app.clone();
        window.on_window_event(move |event| {
            if let WindowEvent::Destroyed = event
                && let Some(shell) = app.try_state::<Arc<super::Shell>>()
            {
                shell.secret.end(sitting);
                if let Some(next) = shell.secret.sitting() {
                    shell.windows.secret(next);
                }
            }
        });
        Ok(())
    }

    fn open(&self, number: u64) {
        self.number.store(number, Ordering::SeqCst);
        let opened = match self.app.get_webview_window(APPROVAL) {
            Some(window) => window.reload(),
            None => self.build(),
        };
        if let Err(error) = opened {
            tracing::error!(%error, "the approval window could not be opened; what it was to ask is refused");
            let _ = self.inputs.send(Input::Closed(number));
        }
    }

    fn build(&self) -> tauri::Result<()> {
        let mut builder = bare(WebviewWindowBuilder::new(&self.app, APPROVAL, WebviewUrl::App("approve.html".into())))
            .title("Countersign asks")
            .inner_size(WIDTH, HEIGHT)
            .min_inner_size(320.0, 420.0)
            .visible(false)
            .focused(false)
            .always_on_top(true)
            .maximizable(false);
        builder = if UI_AUTOMATION {
            // WebDriver sees one context, and no private window.
            builder.data_directory(self.dir.join(MAIN))
        } else {
            // Made anew only after somebody destroyed it; the scheme then needs a context without history.
            let name = self.number.load(Ordering::SeqCst).to_string();
            builder.incognito(true).data_directory(self.dir.join(APPROVAL).join(name))
        };
        let window = builder.build()?;
        native::watch(&window, &self.number, &self.inputs);
        self.keep_watch(&window);
        Ok(())
    }

    fn keep_watch(&self, window: &WebviewWindow) {
        let (inputs, seen, number) = (self.inputs.clone(), window.clone(), self.number.clone());
        let last = Mutex::new((None, None));
        window.on_window_event(move |event| {
            let number = number.load(Ordering::SeqCst);
            let tell = |sign| drop(inputs.send(Input::Sign(number, sign)));
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                // Toolkits repeat these with nothing changed.
                WindowEvent::Moved(to) if last.0.replace(*to) != Some(*to) => {
                    tell(Sign::Moved);
                    tell(Sign::OnScreen(on_screen(&seen)));
                }
                WindowEvent::Resized(to) if last.1.replace(*to) != Some(*to) => {
                    tell(Sign::Resized);
                    tell(Sign::OnScreen(on_screen(&seen)));
                }
                WindowEvent::ScaleFactorChanged { .. } => tell(Sign::Scaled),
                WindowEvent::Focused(focused) => tell(Sign::Focused(*focused)),
                WindowEvent::CloseRequested { api, .. } => {
                    api.prevent_close();
                    let _ = inputs.send(Input::Closed(number));
                    put_away(&seen);
                }
                WindowEvent::Destroyed => drop(inputs.send(Input::Closed(number))),
                _ => {}
            }
        });
    }

    fn show(&self, window: &WebviewWindow) -> tauri::Result<()> {
        if !window.is_visible()? {
            if let Err(error) = self.away_from_pointer(window) {
                tracing::debug!(%error, "the approval window stays where the system puts it");
            }
            native::show_quietly(window)?;
            let number = self.number.load(Ordering::SeqCst);
            let _ = self.inputs.send(Input::Sign(number, Sign::OnScreen(on_screen(window))));
        }
        window.request_user_attention(Some(UserAttentionType::Critical))
    }

    fn away_from_pointer(&self, window: &WebviewWindow) -> tauri::Result<()> {
        let pointer = self.app.cursor_position()?;
        let Some(monitor) = self.app.monitor_from_point(pointer.x, pointer.y)? else { return Ok(()) };
        let area = monitor.work_area();
        // A window not yet shown does not know its size; the frame is a guess.
        let scale = window.scale_factor()?;
        let frame = LogicalSize::new(10.0, 50.0).to_physical(scale);
        let inner = fitting(LogicalSize::new(WIDTH, HEIGHT).to_physical(scale), frame, area.size);
        let least = LogicalSize::new(LEAST_WIDTH, 0.0).to_physical::<u32>(scale).width;
        let beside = beside((area.position.x, area.size.width), pointer.cast::<i32>().x);
        let inner = PhysicalSize::new(inner.width.min(beside.saturating_sub(frame.width).max(least)), inner.height);
        window.set_size(inner)?;
        let size =
            PhysicalSize::new(inner.width.saturating_add(frame.width), inner.height.saturating_add(frame.height));
        let at = place((area.position, area.size), size, pointer.cast());
        window.set_position(at)
    }

    fn page(&self) -> std::sync::MutexGuard<'_, Option<Channel<ApprovalFrame>>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on_main(&self, act: impl FnOnce(&Self) + Send + 'static) {
        let app = self.app.clone();
        log(self.app.run_on_main_thread(move || {
            if let Some(windows) = app.try_state::<Arc<Self>>() {
                act(windows.inner());
            }
        }));
    }

    fn pause(&self, agent: &str) {
        let (desk, name) = (self.desk.clone(), agent.parse::<AgentName>());
        tauri::async_runtime::spawn(async move {
            let Ok(name) = name else { return };
            if let Err(error) = desk.vault().pause(Scope::Agent(name), None).await {
                tracing::error!(%error, "the agent could not be paused");
            }
            desk.look_again();
        });
    }
}

impl Face for Windows {
    fn raise(&self, page: Option<String>) {
        self.main(page);
    }

    fn perform(&self, effect: Effect) {
        let window = |act: fn(&Self, &WebviewWindow)| {
            self.on_main(move |windows| {
                if let Some(window) = windows.app.get_webview_window(APPROVAL) {
                    act(windows, &window);
                }
            });
        };
        match effect {
            Effect::Open(number) => self.on_main(move |windows| windows.open(number)),
            Effect::Show => window(|windows, w| log(windows.show(w))),
            Effect::Reload => {
                *self.page() = None;
                window(|_, w| log(w.reload()));
            }
            Effect::Close => {
                *self.page() = None;
                window(|_, w| put_away(w));
            }
            Effect::Frame(frame) => {
                let channel = self.page().clone();
                if let Some(channel) = channel {
                    log(channel.send(frame));
                }
            }
            Effect::Waiting(count) => drop(self.waiting.send_replace(count)),
            Effect::Pause(agent) => self.pause(&agent),
        }
    }
}

/// Hides the approval window and ends its page, with all that it held.
fn put_away(window: &WebviewWindow) {
    log(window.hide());
    native::end_page(window);
}

/// What every window of ours is: no way out, no way in.
fn bare<'a>(builder: WebviewWindowBuilder<'a, Wry, AppHandle>) -> WebviewWindowBuilder<'a, Wry, AppHandle> {
    builder
        .devtools(UI_AUTOMATION)
        .disable_drag_drop_handler()
        .on_navigation(|url| {
            (url.scheme() == "tauri" && url.host_str() == Some("localhost"))
                || url.host_str() == Some("tauri.localhost")
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
}

/// Whether the whole window is on one monitor; where no position is known, that is taken as so.
fn on_screen(window: &WebviewWindow) -> bool {
    let (Ok(at), Ok(size), Ok(monitors)) = (window.outer_position(), window.outer_size(), window.available_monitors())
    else {
        return true;
    };
    monitors.iter().any(|m| inside(at, size, *m.position(), *m.size())) || monitors.is_empty()
}

/// Whether an area holds all of a window.
pub fn inside(
    at: PhysicalPosition<i32>,
    size: PhysicalSize<u32>,
    area_at: PhysicalPosition<i32>,
    area: PhysicalSize<u32>,
) -> bool {
    let end = |start: i32, length: u32| i64::from(start).saturating_add(i64::from(length));
    at.x >= area_at.x
        && at.y >= area_at.y
        && end(at.x, size.width) <= end(area_at.x, area.width)
        && end(at.y, size.height) <= end(area_at.y, area.height)
}

/// A window's inside, made smaller where the screen has no room for it: at a large scale, a window of the usual size would lie partly
/// outside, and nothing could be answered in it.
fn fitting(wanted: PhysicalSize<u32>, frame: PhysicalSize<u32>, area: PhysicalSize<u32>) -> PhysicalSize<u32> {
    let least = |wanted: u32, frame: u32, area: u32| wanted.min(area.saturating_sub(frame)).max(1);
    PhysicalSize::new(least(wanted.width, frame.width, area.width), least(wanted.height, frame.height, area.height))
}

/// How much room there is beside the pointer, on its wider side, with the margins kept.
fn beside((start, width): (i32, u32), pointer: i32) -> u32 {
    let end = start.saturating_add(i32::try_from(width).unwrap_or(i32::MAX));
    let side = pointer.saturating_sub(start).max(end.saturating_sub(pointer));
    u32::try_from(side.saturating_sub(MARGIN.saturating_mul(2)).saturating_sub(1)).unwrap_or(0)
}

/// The middle of the right half, else of the left: whichever does not lie under the pointer.
fn place(
    area: (PhysicalPosition<i32>, PhysicalSize<u32>),
    size: PhysicalSize<u32>,
    pointer: PhysicalPosition<i32>,
) -> PhysicalPosition<i32> {
    let signed = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let (width, height) = (signed(size.width), signed(size.height));
    let top = area.0.y.saturating_add(signed(area.1.height).saturating_sub(height).max(0) / 2);
    let right =
        area.0.x.saturating_add(signed(area.1.width)).saturating_sub(width).saturating_sub(MARGIN).max(area.0.x);
    let left = area.0.x.saturating_add(MARGIN);
    let free =
        |x: i32| pointer.x < x.saturating_sub(MARGIN) || pointer.x > x.saturating_add(width).saturating_add(MARGIN);
    // On a screen without room beside the pointer a window under it can be answered; one that lies partly outside cannot.
    let x = [right, left].into_iter().find(|x| free(*x)).unwrap_or(right);
    PhysicalPosition::new(x, top)
}

fn log<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the window did not do as told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_never_put_under_the_pointer() {
        let area = (PhysicalPosition::new(0, 0), PhysicalSize::new(1280, 900));
        let size = PhysicalSize::new(480, 720);
        for x in (0..1280).step_by(7) {
            let at = place(area, size, PhysicalPosition::new(x, 450));
            assert!(x < at.x || x > at.x + 480, "pointer {x}, window {}", at.x);
        }
    }

    #[test]
    fn on_a_small_screen_it_is_narrow_enough_to_lie_beside_the_pointer_and_wholly_on_the_screen() {
        let (at, area) = (PhysicalPosition::new(0, 0), PhysicalSize::new(1280, 900));
        for x in 0..1280 {
            let size = PhysicalSize::new(beside((0, 1280), x).min(980), 880);
            let put = place((at, area), size, PhysicalPosition::new(x, 450));
            assert!(x < put.x || x > put.x + i32::try_from(size.width).unwrap(), "pointer {x}, window {}", put.x);
            assert!(inside(put, size, at, area), "pointer {x}, window {}", put.x);
        }
    }

    #[test]
    fn a_window_is_no_larger_than_its_screen() {
        let (wanted, frame) = (PhysicalSize::new(960, 1440), PhysicalSize::new(20, 100));
        assert_eq!(fitting(wanted, frame, PhysicalSize::new(3840, 2160)), wanted);
        assert_eq!(fitting(wanted, frame, PhysicalSize::new(1920, 1080)), PhysicalSize::new(960, 980));
        assert_eq!(fitting(wanted, frame, PhysicalSize::new(10, 10)), PhysicalSize::new(1, 1));
    }

    #[test]
    fn on_screen_means_wholly() {
        let (area_at, area) = (PhysicalPosition::new(0, 0), PhysicalSize::new(1280, 900));
        let size = PhysicalSize::new(480, 720);
        assert!(inside(PhysicalPosition::new(0, 0), size, area_at, area));
        assert!(!inside(PhysicalPosition::new(-1, 0), size, area_at, area));
        assert!(!inside(PhysicalPosition::new(801, 0), size, area_at, area));
    }
}
