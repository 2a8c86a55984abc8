//! Words of strangers: whatever stands in a name, it stays text.

use crate::letters;
use crate::page::HtmlPage;
use local_shop::sample_cases::SampleNames;

/// What injection lists are made of, for HTML, MJML, templates, mail headers and styles.
const HOSTILE: [&str; 30] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" style=\"display:none\" lang=\"xx",
    "<a href=\"https://evil.example\">here</a>",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "</style><b>x</b>",
    "</mj-text><mj-image src=\"https://evil.example/x.png\" /><mj-text>",
    "</mj-title></mj-head><mj-body><mj-text>x</mj-text></mj-body>",
    "<mj-include path=\"/etc/passwd\" />",
    "<mj-raw><iframe src=//evil.example></iframe></mj-raw>",
    "--><b>x</b><!--",
    "<!--",
    "<![CDATA[<b>x</b>]]>",
    "<![endif]--><b>x</b>",
    "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x&#62;",
    "&amp;lt;b&amp;gt; & &notanentity &#0; &#xD800;",
    "{{ 7 * 7 }} {% include 'layout.mjml' %} {# gone #}",
    "{{ subject }}{% endblock %}{% block body %}",
    "x\r\nBcc: victim@example.com\r\n\r\n<b>body</b>",
    "x\nX-Header: 1\u{2028}y\u{2029}z\u{85}w",
    "\u{202e}gnp.exe\u{2066}x\u{202c}",
    "\0\u{7}\u{1b}[31mred",
    "=?utf-8?Q?=3Cscript=3E?=",
    "https://evil.example/?q=\"><b>",
    "\u{202e}😀👩\u{200d}👩\u{200d}👧 e\u{301} \u{feff}ﷺ İı ß",
    "}; body { display: none } a[href] { color: red }",
];

#[test]
fn strange_words_change_no_element_no_link_and_no_header() {
    let plain: Vec<_> = letters(&SampleNames::default())
        .into_iter()
        .map(|(.., mail)| (HtmlPage::read(&mail.html).elements(), mail))
        .collect();
    let long = "<b>".repeat(2_000);
    for (n, hostile) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
        for place in [n % 3, 3] {
            let mut words = SampleNames::default();
            if place == 0 || place == 3 {
                words.name = hostile.into();
            }
            if place == 1 || place == 3 {
                words.plan = hostile.into();
            }
            if place == 2 || place == 3 {
                words.shop = hostile.into();
            }
            for ((name, _, rendered), (elements, plain)) in letters(&words).iter().zip(&plain) {
                let seen = HtmlPage::read(&rendered.html).elements();
                assert_eq!(&seen, elements, "{name}: {hostile:?}");
                assert_eq!(rendered.headers, plain.headers, "{name}");
                assert_eq!(rendered.tags, plain.tags, "{name}");
                assert!(
                    !rendered.subject.contains(char::is_control),
                    "{name}: {}",
                    rendered.subject
                );
                let lines = |text: &str| text.lines().count();
                assert_eq!(
                    lines(&rendered.text),
                    lines(&plain.text),
                    "{name}: {hostile:?}"
                );
                let control = |c: char| c.is_control() && c != '\n';
                assert!(!rendered.text.contains(control), "{name}: {hostile:?}");
                assert!(rendered.html.len() < 102 * 1024, "{name}: {hostile:?}");
            }
        }
    }
}

#[test]
fn strange_words_are_read_as_they_were_written() {
    let words = SampleNames {
        shop: "<b>Zoé & \"Max\"</b> {{ 7 * 7 }}".into(),
        ..SampleNames::default()
    };
    for (name, _, mail) in letters(&words) {
        let page = HtmlPage::read(&mail.html);
        let body: String = page.all("body").flat_map(|body| body.text()).collect();
        assert!(body.contains(&words.shop), "{name}: {body}");
        assert!(mail.text.contains(&words.shop), "{name}");
    }
}

#[test]
fn a_name_that_carries_a_link_or_reads_like_a_sentence_is_not_used() {
    let named = |name: &str| SampleNames {
        name: name.into(),
        ..SampleNames::default()
    };
    let greeted = |words: &SampleNames, sign: &str| {
        letters(words)
            .iter()
            .all(|(.., mail)| mail.text.contains(sign) && mail.html.contains(sign))
    };
    assert!(greeted(&named("Ines d’Orange"), "Ines d’Orange,"));
    for name in [
        "Ines prize.example",
        "https://prize.example",
        "You have won a prize",
        "+33 1 23 45",
    ] {
        for (letter, _, mail) in letters(&named(name)) {
            assert!(!mail.text.contains(name), "{letter}: {name}");
            assert!(!mail.html.contains(name), "{letter}: {name}");
        }
    }
}
