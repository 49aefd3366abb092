//! Bytes in the form that a browser takes them in.

use std::io::Write as _;
use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

/// Bytes, and their compressed forms once somebody wants them.
#[derive(Debug)]
pub(super) struct Compressible {
    identity: Bytes,
    /// `None` within, where they could not be compressed.
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
}

impl Compressible {
    pub(super) fn new(identity: impl Into<Bytes>) -> Self {
        Self { identity: identity.into(), brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// With forms that were compressed ahead; they are compressed on demand where one is missing.
    pub(super) fn with(identity: Bytes, brotli: Option<Bytes>, gzip: Option<Bytes>) -> Self {
        let known = |bytes: Option<Bytes>| bytes.map(Some).map_or_else(OnceLock::new, OnceLock::from);
        Self { identity, brotli: known(brotli), gzip: known(gzip) }
    }

    fn brotli(&self) -> Option<&Bytes> {
        let compress = || {
            let mut compressed = Vec::new();
            let parameters = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
            brotli::BrotliCompress(&mut self.identity.as_ref(), &mut compressed, &parameters).ok()?;
            Some(compressed.into())
        };
        self.brotli.get_or_init(compress).as_ref()
    }

    fn gzip(&self) -> Option<&Bytes> {
        let compress = || {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(8));
            encoder.write_all(&self.identity).ok()?;
            encoder.finish().ok().map(Bytes::from)
        };
        self.gzip.get_or_init(compress).as_ref()
    }

    fn smallest(&self, accepted: &str) -> (&Bytes, Option<&'static str>) {
        if accepts(accepted, "br")
            && let Some(brotli) = self.brotli()
        {
            return (brotli, Some("br"));
        }
        if accepts(accepted, "gzip")
            && let Some(gzip) = self.gzip()
        {
            return (gzip, Some("gzip"));
        }
        (&self.identity, None)
    }

    /// The form that the request takes and that is the smallest.
    pub(super) fn negotiate(&self, request: &HeaderMap, content_type: &'static str) -> Response {
        let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let (body, encoding) = self.smallest(accepted.unwrap_or_default());
        let mut response = body.clone().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        // Appended: CORS has its own.
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// The same, or 304 where the request names the ETag of what it has.
    pub(super) fn unless_known(
        &self,
        request: &HeaderMap,
        content_type: &'static str,
        etag: &str,
    ) -> Response {
        let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let mut response = if known.is_some_and(|known| known.contains(etag) || known.trim() == "*") {
            let vary = [(header::VARY, HeaderValue::from_static("accept-encoding"))];
            (StatusCode::NOT_MODIFIED, vary).into_response()
        } else {
            self.negotiate(request, content_type)
        };
        if let Ok(etag) = HeaderValue::from_str(etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// True when an `Accept-Encoding` lists a coding, and not with `q=0`.
fn accepts(accepted: &str, coding: &str) -> bool {
    accepted.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|weight| {
            weight.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_used_only_where_it_is_wanted() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("BR;q=0.5", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("gzip", "br"));
        assert!(!accepts("", "br"));
    }

    #[test]
    fn each_form_unpacks_to_the_same_bytes() {
        let bytes = Compressible::new("a survey, a survey, a survey".repeat(20));
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut bytes.brotli().unwrap().as_ref(), &mut unpacked).unwrap();
        assert_eq!(unpacked, bytes.identity);
        let mut unpacked = Vec::new();
        let mut gzip = flate2::read::GzDecoder::new(bytes.gzip().unwrap().as_ref());
        std::io::Read::read_to_end(&mut gzip, &mut unpacked).unwrap();
        assert_eq!(unpacked, bytes.identity);
    }
}
