//! An HTML body as a browser sees it: elements, texts, and the colors these have.

use palette::Srgb;
use palette::color_difference::Wcag21RelativeContrast;
use scraper::{ElementRef, Html, Node, Selector};

/// A parsed letter.
pub(crate) struct HtmlPage {
    pub(crate) html: Html,
    /// What is shown in the dark instead: selector, property, value.
    dark: Vec<(Selector, String, String)>,
}

impl HtmlPage {
    pub(crate) fn read(html: &str) -> Self {
        let page = Html::parse_document(html);
        let styles: String = all(&page, "style")
            .map(|s| s.text().collect::<String>())
            .collect();
        let dark = styles
            .split_once("(prefers-color-scheme: dark) {")
            .unwrap()
            .1;
        let mut rules = Vec::new();
        for rule in dark.lines().map(str::trim).take_while(|line| *line != "}") {
            let Some((selectors, body)) = rule.split_once('{') else {
                continue;
            };
            for declared in body.trim_end_matches('}').split(';') {
                let Some((property, value)) = declared.split_once(':') else {
                    continue;
                };
                let value = value
                    .trim()
                    .strip_suffix("!important")
                    .expect("it must win");
                let selector = Selector::parse(selectors).unwrap();
                rules.push((selector, property.trim().into(), value.trim().into()));
            }
        }
        assert!(rules.len() > 5, "no rules for the dark");
        Self {
            html: page,
            dark: rules,
        }
    }

    pub(crate) fn all<'a>(&'a self, selector: &str) -> impl Iterator<Item = ElementRef<'a>> {
        all(&self.html, selector)
    }

    /// Every element's name and attributes, in order: all a stranger's words may not change.
    pub(crate) fn elements(&self) -> Vec<String> {
        let found = |element: ElementRef<'_>| {
            let value = element.value();
            let mut attributes: Vec<_> = value
                .attrs()
                .filter(|(name, _)| *name != "aria-label")
                .map(|(name, value)| format!(" {name}={value:?}"))
                .collect();
            attributes.sort();
            format!("{}{}", value.name(), attributes.concat())
        };
        self.all("*").map(found).collect()
    }

    /// The texts that are shown and their contrast with what is behind them.
    pub(crate) fn contrasts(&self, dark: bool) -> Vec<(String, f32)> {
        let mut found = Vec::new();
        for element in self.all("body *") {
            let own = element.children().filter_map(|child| match child.value() {
                Node::Text(text) => Some(text.trim().trim_matches('\u{200a}')),
                _ => None,
            });
            let text: String = own.collect();
            let around = || std::iter::once(element).chain(parents(element));
            if text.is_empty() || around().any(is_hidden) {
                continue;
            }
            let color = around()
                .find_map(|e| self.style_value(e, "color", dark))
                .unwrap();
            let ground = around()
                .find_map(|e| self.style_value(e, "background-color", dark))
                .unwrap();
            found.push((text, color.relative_contrast(ground)));
        }
        found
    }

    fn style_value(&self, element: ElementRef<'_>, property: &str, dark: bool) -> Option<Srgb> {
        let rules = self.dark.iter().rev().filter(|_| dark);
        let mut rules =
            rules.filter(|(selector, name, _)| name == property && selector.matches(&element));
        let found = rules.next().map(|(_, _, value)| value.clone());
        found
            .or_else(|| {
                inline(element, property)
                    .or_else(|| inline(element, "background").filter(|_| property != "color"))
            })
            .map(|hex| color(&hex))
    }
}

fn all<'a>(html: &'a Html, selector: &str) -> impl Iterator<Item = ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    let found: Vec<_> = html.select(&selector).collect();
    found.into_iter()
}

fn parents(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    element.ancestors().filter_map(ElementRef::wrap)
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    inline(element, "display").as_deref() == Some("none")
}

fn inline(element: ElementRef<'_>, property: &str) -> Option<String> {
    let style = element.value().attr("style")?;
    let declared = style
        .split(';')
        .filter_map(|declared| declared.split_once(':'));
    let mut named = declared.filter(|(name, _)| name.trim() == property);
    named.next().map(|(_, value)| value.trim().to_owned())
}

fn color(hex: &str) -> Srgb {
    let color: Srgb<u8> = hex
        .parse()
        .unwrap_or_else(|_| panic!("{hex} is not a plain color"));
    color.into_format()
}
