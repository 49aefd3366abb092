//! Says which style sheet goes into the widget: `style.css`, or the minified file that
//! `AFTERWORD_WIDGET_CSS` names.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=AFTERWORD_WIDGET_CSS");
    // Which linker follows: an executable that was linked by another is not up to date.
    println!("cargo::rerun-if-env-changed=AFTERWORD_WIDGET_LINKER");
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("style.css");
    let style = env::var_os("AFTERWORD_WIDGET_CSS").map_or_else(own, Into::into);
    println!("cargo::rerun-if-changed={}", style.display());
    println!("cargo::rustc-env=AFTERWORD_WIDGET_STYLE={}", style.display());
}
