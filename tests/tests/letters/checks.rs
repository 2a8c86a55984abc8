//! What every letter must pass, in both languages.

use crate::letters;
use crate::page::HtmlPage;
use domain::letter::{Letter, LetterClass};
use local_shop::sample_cases::SampleNames;

#[test]
fn every_letter_has_both_bodies_a_subject_a_preheader_and_a_bounded_size() {
    for (name, _, mail) in letters(&SampleNames::default()) {
        let page = HtmlPage::read(&mail.html);
        assert!(mail.html.len() < 102 * 1024, "{name}: {}", mail.html.len());
        assert!(
            (4..=78).contains(&mail.subject.chars().count()),
            "{name}: {}",
            mail.subject
        );
        assert_eq!(mail.subject.trim(), mail.subject);
        assert!(
            mail.text.len() > 100 && !mail.text.contains(['{', '<']),
            "{name}"
        );
        assert!(
            !mail.html.contains("{{") && !mail.html.contains("{%"),
            "{name}"
        );
        let title: String = page.all("title").flat_map(|title| title.text()).collect();
        assert_eq!(title, mail.subject, "{name}");
        let first = page.all("body > *").next().unwrap();
        let preheader: String = first.text().collect();
        assert!(
            first
                .value()
                .attr("style")
                .unwrap()
                .starts_with("display:none"),
            "{name}"
        );
        assert!(
            (20..=110).contains(&preheader.chars().count()),
            "{name}: {preheader}"
        );
    }
}

#[test]
fn every_letter_says_its_language_and_what_its_tables_are_for() {
    for (name, language, mail) in letters(&SampleNames::default()) {
        let page = HtmlPage::read(&mail.html);
        for element in page.all("html, body > *") {
            let value = element.value();
            let attributes = (value.attr("lang"), value.attr("dir"));
            assert_eq!(
                attributes,
                (Some(language.as_str()), Some("ltr")),
                "{name} {}",
                value.name()
            );
        }
        let tables: Vec<_> = page.all("table").collect();
        assert!(tables.len() > 4, "{name}");
        for table in tables {
            assert_eq!(table.value().attr("role"), Some("presentation"), "{name}");
        }
        assert_eq!(page.all("h1").count(), 1, "{name}");
        for image in page.all("img") {
            assert!(image.value().attr("alt").is_some(), "{name}");
        }
    }
}

#[test]
fn every_text_stands_out_from_its_ground_in_the_light_and_in_the_dark() {
    for (name, _, mail) in letters(&SampleNames::default()) {
        let page = HtmlPage::read(&mail.html);
        let scheme = page.all("meta[name=color-scheme]").next().unwrap();
        assert_eq!(scheme.value().attr("content"), Some("light dark"), "{name}");
        for dark in [false, true] {
            let texts = page.contrasts(dark);
            assert!(texts.len() >= 4, "{name}");
            for (text, contrast) in texts {
                assert!(
                    contrast >= 4.5,
                    "{name}, dark {dark}: {contrast:.2} for {text}"
                );
            }
        }
    }
}

#[test]
fn no_letter_asks_anything_of_anybody_and_its_links_are_whole() {
    for (name, _, mail) in letters(&SampleNames::default()) {
        let page = HtmlPage::read(&mail.html);
        let asking = "img, script, link, iframe, object, embed, video, audio, form, base, svg, \
                      [src], [background], [srcset]";
        assert_eq!(page.all(asking).count(), 0, "{name}");
        assert!(
            !mail.html.contains("@import") && !mail.html.contains("url("),
            "{name}"
        );
        for link in page.all("a") {
            let href = link.value().attr("href").unwrap();
            assert!(
                href.starts_with("https://grove.example.com/"),
                "{name}: {href}"
            );
            assert!(
                mail.text.contains(href),
                "{name}: {href} is not in the text"
            );
        }
    }
}

#[test]
fn only_letters_that_may_be_refused_say_how_to_refuse_them() {
    for (name, _, mail) in letters(&SampleNames::default()) {
        let letter = Letter::parse(name.split(['-', '.']).next().unwrap()).unwrap();
        let refusable = letter.class() == LetterClass::Engagement;
        let names: Vec<_> = mail.headers.iter().map(|(name, _)| *name).collect();
        let expected: &[&str] = if refusable {
            &["List-Unsubscribe", "List-Unsubscribe-Post"]
        } else {
            &[]
        };
        assert_eq!(names, expected, "{name}");
        assert_eq!(mail.text.contains("/letters"), refusable, "{name}");
        assert_eq!(mail.reply_to.as_deref(), Some("hello@grove.example.com"));
    }
}

#[test]
fn french_signs_of_two_parts_never_begin_a_line() {
    for (name, language, mail) in letters(&SampleNames::default()) {
        let page = HtmlPage::read(&mail.html);
        let shown: String = page
            .all("title, body")
            .flat_map(|body| body.text())
            .collect();
        for text in [&mail.subject, &mail.text, &shown] {
            for broken in [" ;", " :", " !", " ?", " »", "« ", "'", "..."] {
                assert!(!text.contains(broken), "{name}: {broken:?} in {text}");
            }
            let narrow = text.contains('\u{202f}');
            assert!(language.as_str() == "fr" || !narrow, "{name}: {text}");
        }
    }
}
