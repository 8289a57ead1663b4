//! A sign of life that walks through all stages.

use std::sync::Arc;

use tokio::sync::Notify;

/// The token: says when its last copy is gone.
#[derive(Debug)]
pub struct Beat(Arc<Notify>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Beat {
    /// A token that notifies `returned` when its last copy is dropped.
    pub fn new(returned: Arc<Notify>) -> Self {
        Beat(returned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_token_returns_with_its_last_copy() {
        let returned = Arc::new(Notify::new());
        let beat = Arc::new(Beat(returned.clone()));
        let copy = beat.clone();
        drop(beat);
        assert!(tokio::time::timeout(Duration::from_millis(20), returned.notified()).await.is_err());
        drop(copy);
        assert!(tokio::time::timeout(Duration::from_secs(5), returned.notified()).await.is_ok());
    }
}
