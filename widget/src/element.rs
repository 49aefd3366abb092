//! Elements, built as they are written down, with Leptos to make them follow the survey.
//!
//! Leptos' own `view!` gives every element a type of its own, with its attributes and children,
//! and compiles its life cycle once for each: 11 KB compressed for this widget, a fifth of all that
//! a page may load. Here all elements share one type, and everything that reacts shares three
//! closures, each a survey and a plain function of it. No markup is ever parsed, so no policy on
//! Trusted Types forbids it.

use leptos::reactive::effect::RenderEffect;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::{Mountable, Render};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Event};

use crate::survey::Survey;

/// An element with what keeps it alive. Dropped, it no longer reacts.
pub(crate) struct El {
    element: Element,
    children: Vec<El>,
    follows: Vec<RenderEffect<Option<String>>>,
    swaps: Vec<RenderEffect<Option<El>>>,
    listeners: Vec<Closure<dyn FnMut(Event)>>,
}

#[wasm_bindgen]
extern "C" {
    // Leptos gets there by a window that is an instance of `Window`: MooTools has that name for something else.
    #[wasm_bindgen(js_name = document, thread_local_v2)]
    static DOCUMENT: Document;
}

/// An element without attributes.
pub(crate) fn el(name: &str) -> El {
    // Only a name with a blank or the like makes no element, and names are written in this crate.
    let element = DOCUMENT.with(|document| document.create_element(name)).unwrap_throw();
    El { element, children: Vec::new(), follows: Vec::new(), swaps: Vec::new(), listeners: Vec::new() }
}

impl El {
    /// An attribute.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        write(&self.element, name, Some(value));
        self
    }

    /// An attribute, or none.
    pub(crate) fn set_if(self, there: bool, name: &str, value: &str) -> Self {
        if there { self.set(name, value) } else { self }
    }

    /// The attribute `class`.
    pub(crate) fn class(self, name: &str) -> Self {
        self.set("class", name)
    }

    /// The attribute `part`, for the page's styles.
    pub(crate) fn part(self, name: &str) -> Self {
        self.set("part", name)
    }

    /// The text inside; instead of children.
    pub(crate) fn text(self, text: &str) -> Self {
        self.set(TEXT, text)
    }

    /// An attribute that follows the survey; absent while there is no value.
    pub(crate) fn follow(
        self,
        name: &'static str,
        survey: &Survey,
        read: fn(&Survey) -> Option<String>,
    ) -> Self {
        self.followed(name, survey, Read::Maybe(read))
    }

    /// A text that follows the survey; instead of children.
    pub(crate) fn follow_text(self, survey: &Survey, read: fn(&Survey) -> String) -> Self {
        self.followed(TEXT, survey, Read::Always(read))
    }

    fn followed(mut self, name: &'static str, survey: &Survey, read: Read) -> Self {
        let (survey, element) = (survey.clone(), self.element.clone());
        // Written only when it changes: a live region would say the same again.
        self.follows.push(RenderEffect::new(move |before: Option<Option<String>>| {
            let now = match read {
                Read::Maybe(read) => read(&survey),
                Read::Always(read) => Some(read(&survey)),
            };
            if before.is_none_or(|before| before != now) {
                write(&element, name, now.as_deref());
            }
            now
        }));
        self
    }

    /// A last element inside.
    pub(crate) fn child(mut self, child: Self) -> Self {
        append(&self.element, &child.element);
        self.children.push(child);
        self
    }

    /// One element inside, or none, drawn anew whenever what it reads changes; instead of children.
    pub(crate) fn swap(mut self, survey: &Survey, draw: fn(&Survey) -> Option<Self>) -> Self {
        let (survey, element) = (survey.clone(), self.element.clone());
        self.swaps.push(RenderEffect::new(move |_| {
            let drawn = draw(&survey);
            write(&element, TEXT, None);
            if let Some(drawn) = &drawn {
                append(&element, &drawn.element);
            }
            drawn
        }));
        self
    }

    /// What happens at an event.
    pub(crate) fn on(mut self, name: &str, survey: &Survey, act: fn(&Survey, &Event)) -> Self {
        let survey = survey.clone();
        let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| act(&survey, &event));
        // Adding a listener to an element never fails.
        self.element.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()).ok();
        self.listeners.push(listener);
        self
    }
}

/// What an attribute or a text is read from.
#[derive(Clone, Copy)]
enum Read {
    Maybe(fn(&Survey) -> Option<String>),
    Always(fn(&Survey) -> String),
}

/// Stands for the text inside, where an attribute's name is asked for.
const TEXT: &str = "";

fn write(element: &Element, name: &str, value: Option<&str>) {
    if name == TEXT {
        element.set_text_content(value);
    } else {
        // Fails only for a name that is none.
        match value {
            Some(value) => element.set_attribute(name, value).ok(),
            None => element.remove_attribute(name).ok(),
        };
    }
}

fn append(parent: &Element, child: &Node) {
    // Fails only where a parent would come to lie in itself.
    parent.append_child(child).ok();
}

impl Mountable for El {
    fn unmount(&mut self) {
        self.element.remove();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        parent.insert_before(&self.element, marker).ok();
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let parent = self.element.parent_element();
        parent.inspect(|parent| child.mount(parent, Some(&self.element))).is_some()
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.element.clone()]
    }
}

impl Render for El {
    type State = Self;

    fn build(self) -> Self {
        self
    }

    fn rebuild(self, state: &mut Self) {
        let mut new = self;
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}
