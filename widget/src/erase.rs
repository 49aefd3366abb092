//! Views and closures without their types, for the bytes.
//!
//! Leptos compiles everything that reacts once per closure type and once per view type, about 2 KB
//! each. Here all closures of the survey share three types, and all parts that are swapped share
//! [`Part`]: what `AnyView` is, without hydration, attribute spreading and rebuilding in place,
//! which nothing here uses.

use std::future::{Future, ready};

use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

/// A text, or an attribute's value, that changes.
pub(crate) type Written = Box<dyn FnMut() -> String + Send>;
/// An attribute that comes and goes.
pub(crate) type Mark = Box<dyn FnMut() -> Option<&'static str> + Send>;

/// A text, or an attribute's value, that changes.
pub(crate) fn written(write: impl FnMut() -> String + Send + 'static) -> Written {
    Box::new(write)
}

/// An attribute that comes and goes.
pub(crate) fn mark(mark: impl FnMut() -> Option<&'static str> + Send + 'static) -> Mark {
    Box::new(mark)
}

/// A part of the page that is swapped as a whole.
pub(crate) fn swapped(part: impl FnMut() -> Part + Send + 'static) -> Box<dyn FnMut() -> Part + Send> {
    Box::new(part)
}

/// Any view.
pub(crate) struct Part(Box<dyn FnOnce() -> Built + Send>);

impl Part {
    /// Forgets a view's type.
    pub(crate) fn new<V: Render<State: 'static> + Send + 'static>(view: V) -> Self {
        Self(Box::new(|| Built(Box::new(view.build()))))
    }
}

/// A view on the page.
pub(crate) struct Built(Box<dyn Mountable>);

impl Mountable for Built {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.0.elements()
    }
}

impl Render for Part {
    type State = Built;

    fn build(self) -> Built {
        (self.0)()
    }

    fn rebuild(self, state: &mut Built) {
        let mut new = self.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl AddAnyAttr for Part {
    type Output<SomeNewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

/// For servers, but for `into_owned`; there is none that renders the widget.
impl RenderHtml for Part {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    fn resolve(self) -> impl Future<Output = Self> + Send {
        ready(self)
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Built {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
