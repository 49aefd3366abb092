//! Has the widget linked anew when another linker is asked for.

fn main() {
    // An executable that was linked by another is not up to date.
    println!("cargo::rerun-if-env-changed=AFTERWORD_WIDGET_LINKER");
}
