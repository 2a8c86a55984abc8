//! A page as a browser reads it: elements, their texts, where links lead.

use scraper::{ElementRef, Html, Selector};

/// A parsed page.
pub(crate) struct ParsedPage(Html);

impl ParsedPage {
    pub(crate) fn read(html: &str) -> Self {
        Self(Html::parse_document(html))
    }

    /// What follows `prefix` in the links that begin with it, still percent-encoded, in order.
    pub(crate) fn links_after(&self, prefix: &str) -> Vec<String> {
        self.all("a[href]")
            .into_iter()
            .filter_map(|link| link.attr("href")?.strip_prefix(prefix))
            .map(str::to_owned)
            .collect()
    }

    /// The words of the only element that `selector` finds, in order.
    pub(crate) fn words_of(&self, selector: &str) -> Vec<&str> {
        let found = self.all(selector);
        let [element] = found.as_slice() else {
            panic!("{} elements are {selector}", found.len());
        };
        element.text().flat_map(str::split_whitespace).collect()
    }

    /// The number shown for one kind of verdict: `waiting`, `parked`, …
    pub(crate) fn count_of(&self, verdict: &str) -> String {
        self.words_of(&format!("[data-count='{verdict}']")).concat()
    }

    /// Whether the page says that the events replayed from it changed nothing.
    pub(crate) fn replay_changed_nothing(&self) -> bool {
        self.all("[data-replayed]")
            .iter()
            .map(|note| note.attr("data-replayed"))
            .eq([Some("same")])
    }

    fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        let selector = Selector::parse(selector).unwrap();
        self.0.select(&selector).collect()
    }
}
