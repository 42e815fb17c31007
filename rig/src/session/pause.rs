use std::time::Duration;

/// Waits. Not at all where there is nothing to wait for: tokio's timers are rounded up to the next millisecond, and a
/// sleep of 0 would take as long.
pub async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
