//! JSON pointers (RFC 6901): where in a body something is.

use serde_path_to_error::{Path, Segment};

/// The pointer to the place where a body could not be read on.
pub(crate) fn to(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key: name } | Segment::Enum { variant: name } => step(name),
        Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}

/// The part of a pointer that leads from an object to one of its keys.
pub(crate) fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
