//! The part of `wasm-streams` that Leptos' server functions are compiled against.
//!
//! Leptos depends on server functions, and they on streams in the browser. The widget uses neither, but
//! the real crate exports JavaScript classes, which keep 4 KB (compressed) of the module alive: nobody
//! can know that no page calls them. Here nothing is exported, and so everything falls away. A stream
//! that is read is empty; one that is made throws.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use wasm_bindgen::JsValue;

/// A stream of the browser.
pub struct ReadableStream(web_sys::ReadableStream);

/// The modules of the real crate that are named elsewhere.
pub mod readable {
    pub use super::{IntoStream, ReadableStream};

    /// The browser's own types.
    pub mod sys {
        pub use web_sys::ReadableStream;
    }
}

/// What a stream yields: nothing.
pub struct IntoStream;

impl Stream for IntoStream {
    type Item = Result<JsValue, JsValue>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

impl ReadableStream {
    /// Wraps a stream.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        Self(raw)
    }

    /// Unwraps the stream.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// Reads the stream.
    pub fn into_stream(self) -> IntoStream {
        IntoStream
    }

    /// Makes a stream.
    pub fn from_stream<S>(_: S) -> Self
    where
        S: Stream<Item = Result<JsValue, JsValue>> + 'static,
    {
        wasm_bindgen::throw_str("the widget has no streams")
    }
}
