//! The Activity page's commands: sums, lists, one payment, and a file of what is shown. They read; nothing moves. A person can have
//! an open page asked about no more.

mod export;
mod file;
mod overview;
mod story;
pub mod view;

pub use file::fresh as fresh_file;

use countersign_core::{
    calendar::{Calendar, Day},
    money::Micro,
    payment::PaymentId,
};
use countersign_desk::view::status_of;
use countersign_vault::{
    VaultError,
    activity::{Activity, By, Find, Period, Spent},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tauri::{Manager as _, WebviewWindow};

use super::{
    Shell,
    commands::{Gets, Said, failed, from},
    qr::QrView,
    view::DecideError,
    window::MAIN,
};
use view::{ActivityFilter, ActivityLine, ActivityPage, Exported, Form, Overview, OverviewAsked, PaymentStory};

/// How long one command reads on in the ledger before it answers with what it has.
const A_WHILE: Duration = Duration::from_millis(250);
const PAGE: u32 = 100;

/// The read model of this desk's ledger.
pub fn read_model(desk: &countersign_desk::Desk) -> Activity {
    desk.vault().activity(|record| status_of(record).as_str())
}

/// Sums, chart and ranking, and how much of the ledger they do not cover yet.
#[tauri::command]
pub async fn activity_overview(window: WebviewWindow, shell: Gets<'_>, asked: OverviewAsked) -> Said<Overview> {
    from(&window, MAIN)?;
    let now = shell.desk.now();
    let reference = shell.desk.registry().reference().to_owned();
    aside(&shell, move |activity, calendar| {
        let behind = activity.catch_up(calendar, A_WHILE)?;
        let read = |period, by| activity.sums(calendar, asked.test, period, by);
        let choices = activity.choices(calendar)?;
        overview::of(&asked, calendar, now, &reference, behind, choices, read)
    })
    .await
}

/// One page of what fits, newest first.
#[tauri::command]
pub async fn activity_list(
    window: WebviewWindow,
    shell: Gets<'_>,
    filter: ActivityFilter,
    cursor: Option<String>,
) -> Said<ActivityPage> {
    from(&window, MAIN)?;
    let reference = shell.desk.registry().reference().to_owned();
    let calendar = calendar(&shell);
    let mut find = find(&filter, &calendar)?;
    find.cursor = cursor.map(|text| text.parse().map_err(|_| failed("This is no page of the list."))).transpose()?;
    find.limit = PAGE;
    aside(&shell, move |activity, calendar| {
        activity.catch_up(calendar, A_WHILE)?;
        let found = activity.find(calendar, &find)?;
        Ok(ActivityPage {
            payments: found.lines.into_iter().map(|line| ActivityLine::of(line, &reference)).collect(),
            next: found.next.map(|n| n.to_string()),
        })
    })
    .await
}

/// Everything about one payment.
#[tauri::command]
pub async fn activity_payment(window: WebviewWindow, shell: Gets<'_>, id: String) -> Said<PaymentStory> {
    from(&window, MAIN)?;
    let id: PaymentId = id.parse().map_err(|_| failed("This is no payment."))?;
    story::read(&shell.desk, &id).await.map_err(failed)?.ok_or_else(|| failed("There is no such payment."))
}

/// The address of an open page as a QR code, for somebody's telephone.
#[tauri::command]
pub async fn page_code(window: WebviewWindow, shell: Gets<'_>, id: String) -> Said<QrView> {
    from(&window, MAIN)?;
    let id: PaymentId = id.parse().map_err(|_| failed("This is no payment."))?;
    let vault = shell.desk.vault();
    let record = vault.payment(&id).await.map_err(failed)?.ok_or_else(|| failed("There is no such payment."))?;
    let page =
        story::page(&shell.desk, &record).await.map_err(failed)?.ok_or_else(|| failed("This is no open page."))?;
    let link = page.link.ok_or_else(|| failed("The address of this page is not kept any more."))?;
    QrView::of(&link).ok_or_else(|| failed("The address of this page is too long for a code."))
}

/// Has Alipay asked about an open page no more, or again.
#[tauri::command]
pub async fn page_watch(window: WebviewWindow, shell: Gets<'_>, id: String, watched: bool) -> Said<()> {
    from(&window, MAIN)?;
    let id: PaymentId = id.parse().map_err(|_| failed("This is no payment."))?;
    shell.desk.watch(&id, watched).await.map_err(failed)?;
    Ok(())
}

/// Writes what fits into a new file among the person's downloads.
#[tauri::command]
pub async fn activity_export(
    window: WebviewWindow,
    shell: Gets<'_>,
    filter: ActivityFilter,
    form: Form,
) -> Said<Exported> {
    from(&window, MAIN)?;
    let paths = window.path();
    let dir = paths.download_dir().or_else(|_| paths.home_dir()).map_err(failed)?;
    let registry = shell.desk.registry().clone();
    let calendar = calendar(&shell);
    let (find, today) = (find(&filter, &calendar)?, calendar.day(shell.desk.now()));
    aside(&shell, move |activity, calendar| {
        while activity.catch_up(calendar, A_WHILE)? > 0 {}
        let storage = |error: std::io::Error| VaultError::Storage(error.to_string());
        let (path, file) = file::fresh(&dir, &file::name(&filter, today), file::end(form)).map_err(storage)?;
        let mut writer = export::Writer::begin(file, form, calendar, &registry).map_err(storage)?;
        let count = activity.each(calendar, &find, |record| writer.write(&record))?.map_err(storage)?;
        writer.end().map_err(storage)?;
        Ok(Exported { path: path.display().to_string(), count: count.to_string() })
    })
    .await
}

/// What every agent spent today, in real money or in play money, and how much of the ledger that does not cover yet.
pub async fn today(shell: &Arc<Shell>, test: bool) -> Said<(BTreeMap<String, Spent>, u64)> {
    let now = shell.desk.now();
    aside(shell, move |activity, calendar| {
        let behind = activity.catch_up(calendar, A_WHILE)?;
        let today = calendar.day(now);
        let sums = activity.sums(calendar, test, Period { from: today, to: today }, By::Agent)?;
        Ok((sums.names.into_iter().collect(), behind))
    })
    .await
}

/// Runs what blocks away from the workers.
async fn aside<T: Send + 'static>(
    shell: &Arc<Shell>,
    run: impl FnOnce(&Activity, &Calendar) -> Result<T, VaultError> + Send + 'static,
) -> Said<T> {
    let (activity, calendar) = (Arc::clone(&shell.activity), calendar(shell));
    let done = tauri::async_runtime::spawn_blocking(move || run(&activity, &calendar)).await.map_err(failed)?;
    done.map_err(failed)
}

/// Days are those that the budgets count.
fn calendar(shell: &Shell) -> Calendar {
    Calendar::of(shell.desk.vault().policy().as_deref().map_or("UTC", |policy| policy.timezone()))
}

fn find(filter: &ActivityFilter, calendar: &Calendar) -> Result<Find, DecideError> {
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let money = |text: &str| {
        given(text)
            .map(|text| Micro::parse(&text).map_err(|_| failed(format!("{text:?} is not an amount."))))
            .transpose()
    };
    let day = |text: &str| {
        given(text).map(|text| Day::parse(&text).ok_or_else(|| failed(format!("{text:?} is not a day.")))).transpose()
    };
    Ok(Find {
        test: filter.test,
        agent: given(&filter.agent),
        payee: given(&filter.payee),
        state: given(&filter.state),
        rail: given(&filter.rail),
        min: money(&filter.min)?,
        max: money(&filter.max)?,
        since: day(&filter.from)?.map(|day| calendar.begins(day)),
        until: day(&filter.to)?.map(|day| calendar.begins(day.plus(1))),
        text: filter.text.clone(),
        cursor: None,
        limit: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_whole_days_of_the_zone_and_refuses_what_is_no_amount() {
        let berlin = Calendar::of("Europe/Berlin");
        let filter = ActivityFilter {
            from: "2026-03-29".into(),
            to: "2026-03-29".into(),
            min: " 4.2 ".into(),
            ..ActivityFilter::default()
        };
        let found = find(&filter, &berlin).unwrap();
        let hours = (found.until.unwrap().0 - found.since.unwrap().0) / 3_600_000;
        assert_eq!((hours, found.min, found.max, found.agent), (23, Some(Micro(4_200_000)), None, None));
        for nonsense in ["1e3", "-1", "=1", "1.0000001", "٣"] {
            let filter = ActivityFilter { max: nonsense.into(), ..ActivityFilter::default() };
            assert!(find(&filter, &berlin).is_err(), "{nonsense}");
        }
        assert!(find(&ActivityFilter { from: "yesterday".into(), ..ActivityFilter::default() }, &berlin).is_err());
    }
}
