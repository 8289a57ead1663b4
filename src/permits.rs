//! Permits for work that costs memory or processor time: a limited number of each kind at a time, and fewer per user,
//! so that nobody blocks the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The permits for one kind of work, granted in the order of requests.
#[derive(Debug)]
pub struct Permits {
    all: Arc<Semaphore>,
    per_user: usize,
    /// One for each user who has or waits for a permit.
    users: Mutex<HashMap<u32, Weak<Semaphore>>>,
    waiting: AtomicUsize,
}

/// Allows one piece of work, until dropped.
#[derive(Debug)]
pub struct Permit {
    _of_user: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Permits {
    /// `total` at a time, of which one user has at most `per_user`.
    pub fn new(total: usize, per_user: usize) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(total));
        Arc::new(Permits { all, per_user, users: Mutex::default(), waiting: AtomicUsize::new(0) })
    }

    /// Waits for a permit for this user.
    pub async fn acquire(&self, uid: u32) -> Permit {
        let _waiting = Waiting::new(&self.waiting);
        // The semaphores are never closed, so neither call fails.
        let of_user = self.of_user(uid).acquire_owned().await.ok();
        let of_all = self.all.clone().acquire_owned().await.ok();
        Permit { _of_user: of_user, _of_all: of_all }
    }

    /// Somebody waits for a permit.
    pub fn are_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn of_user(&self, uid: u32) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = users.get(&uid).and_then(Weak::upgrade) {
            return semaphore;
        }
        users.retain(|_, semaphore| semaphore.strong_count() > 0);
        let semaphore = Arc::new(Semaphore::new(self.per_user));
        users.insert(uid, Arc::downgrade(&semaphore));
        semaphore
    }
}

/// Counts one who waits, also when the wait is cancelled.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn new(count: &'p AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_user_leaves_permits_to_the_others() {
        let permits = Permits::new(3, 2);
        let mut of_a: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(1000))).collect();
        let got: Vec<_> = of_a.iter_mut().map(poll).collect();
        assert!(matches!(got.as_slice(), [Poll::Ready(_), Poll::Ready(_), Poll::Pending]));
        assert!(permits.are_wanted());
        let mut of_b = Box::pin(permits.acquire(0));
        assert!(poll(&mut of_b).is_ready());
        drop(of_a);
        assert!(!permits.are_wanted());
        drop(got);
        assert_eq!(permits.users.lock().unwrap_or_else(PoisonError::into_inner).len(), 2);
        assert!(poll(&mut Box::pin(permits.acquire(7))).is_ready());
        assert_eq!(permits.users.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
    }
}
