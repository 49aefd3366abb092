//! The part of `send_wrapper` that Leptos and the widget use: a value that counts as `Send` and `Sync`, and is only
//! ever touched on the thread that made it.
//!
//! The real crate asks for the current thread whenever the value is touched. In a browser without threads the answer
//! is always the same, but the question brings a thread's name and handle, which the standard library keeps in an
//! allocator of its own beside the widget's: 5.5 KB of the module, and work at every step. Here it is asked only where
//! there are threads, which is where the widget's tests run.
//!
//! What it cannot do: a module that is built with threads asks as the real crate does, and has its size.

#![expect(unsafe_code, reason = "the compiler cannot know which thread touches a value")]

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};

/// A value of one thread.
pub struct SendWrapper<T> {
    value: ManuallyDrop<T>,
    thread: Thread,
}

// SAFETY: the value is reached through `Deref`, `DerefMut`, `take` and `Drop` alone, and each of them asks for the
// thread first.
unsafe impl<T> Send for SendWrapper<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for SendWrapper<T> {}

impl<T> SendWrapper<T> {
    /// Wraps a value, which belongs to the current thread from now on.
    pub fn new(value: T) -> Self {
        Self { value: ManuallyDrop::new(value), thread: Thread::current() }
    }

    /// True on the thread that the value belongs to.
    pub fn valid(&self) -> bool {
        self.thread == Thread::current()
    }

    /// Unwraps the value.
    ///
    /// # Panics
    ///
    /// On another thread than the value's.
    #[track_caller]
    pub fn take(self) -> T {
        self.check();
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so nobody finds the place that the value is taken from.
        unsafe { ManuallyDrop::take(&mut this.value) }
    }

    #[track_caller]
    fn check(&self) {
        assert!(self.valid(), "a value of another thread");
    }
}

impl<T> Deref for SendWrapper<T> {
    type Target = T;

    /// # Panics
    ///
    /// On another thread than the value's.
    #[track_caller]
    fn deref(&self) -> &T {
        self.check();
        &self.value
    }
}

impl<T> DerefMut for SendWrapper<T> {
    /// # Panics
    ///
    /// On another thread than the value's.
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        self.check();
        &mut self.value
    }
}

impl<T> Drop for SendWrapper<T> {
    /// # Panics
    ///
    /// On another thread than the value's, if dropping it does anything; the value stays then.
    #[track_caller]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() {
            if self.valid() {
                // SAFETY: it is the value's thread, and nothing is dropped twice.
                unsafe { ManuallyDrop::drop(&mut self.value) }
            } else if !std::thread::panicking() {
                panic!("a value of another thread");
            }
        }
    }
}

impl<T: Clone> Clone for SendWrapper<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for SendWrapper<T> {
    #[track_caller]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SendWrapper").field(&**self).finish()
    }
}

/// Which thread a value belongs to.
#[cfg(any(not(target_family = "wasm"), target_feature = "atomics"))]
#[derive(PartialEq)]
struct Thread(std::thread::ThreadId);

#[cfg(any(not(target_family = "wasm"), target_feature = "atomics"))]
impl Thread {
    fn current() -> Self {
        Self(std::thread::current().id())
    }
}

/// There is only one.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[derive(PartialEq)]
struct Thread;

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
impl Thread {
    fn current() -> Self {
        Self
    }
}

#[cfg(feature = "futures")]
mod futures {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_core::Stream;

    use super::SendWrapper;

    impl<T> SendWrapper<T> {
        #[track_caller]
        fn pinned(self: Pin<&mut Self>) -> Pin<&mut T> {
            // SAFETY: the value lies in the wrapper, is not moved out of it while that is pinned, and is dropped where
            // it lies.
            unsafe { self.map_unchecked_mut(|wrapper| &mut **wrapper) }
        }
    }

    impl<F: Future> Future for SendWrapper<F> {
        type Output = F::Output;

        #[track_caller]
        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            self.pinned().poll(context)
        }
    }

    impl<S: Stream> Stream for SendWrapper<S> {
        type Item = S::Item;

        #[track_caller]
        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.pinned().poll_next(context)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Touches a value on a thread that is not its own; true if that panics.
    fn panics_elsewhere(touch: impl FnOnce(SendWrapper<Vec<u8>>) + Send + 'static) -> bool {
        let wrapped = SendWrapper::new(vec![1]);
        std::thread::spawn(move || touch(wrapped)).join().is_err()
    }

    #[test]
    fn a_value_is_there_on_its_own_thread() {
        let mut wrapped = SendWrapper::new(vec![1]);
        wrapped.push(2);
        assert!(wrapped.valid());
        assert_eq!(
            (&*wrapped.clone(), format!("{wrapped:?}")),
            (&vec![1, 2], "SendWrapper([1, 2])".to_owned())
        );
        assert_eq!(wrapped.take(), [1, 2]);
    }

    #[test]
    fn nobody_else_touches_it() {
        assert!(panics_elsewhere(|wrapped| _ = wrapped.len()));
        assert!(panics_elsewhere(|mut wrapped| wrapped.clear()));
        assert!(panics_elsewhere(|wrapped| _ = wrapped.take()));
        assert!(panics_elsewhere(drop));
        assert!(!panics_elsewhere(|wrapped| {
            assert!(!wrapped.valid());
            mem::forget(wrapped);
        }));
    }

    #[test]
    fn what_has_nothing_to_drop_may_end_anywhere() {
        let wrapped = SendWrapper::new(1);
        assert!(std::thread::spawn(move || drop(wrapped)).join().is_ok());
    }

    #[test]
    fn it_is_dropped_once() {
        let counted = std::rc::Rc::new(());
        drop(SendWrapper::new(counted.clone()));
        let taken = SendWrapper::new(counted.clone()).take();
        assert_eq!(std::rc::Rc::strong_count(&counted), 2);
        drop(taken);
        assert_eq!(std::rc::Rc::strong_count(&counted), 1);
    }
}
