//! As much of JSON Schema as the partners' document uses; a word it does not know is a failure.

use jiff::Timestamp;
use serde_json::Value;

/// What in a value is not as its schema has it; nothing where all is.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let fields = schema.as_object().expect("a schema is an object");
    if let Some(said) = fields.get("type") {
        faults.extend(keyword_fault("type", said, value));
    }
    if !faults.is_empty() {
        return faults;
    }
    for (word, said) in fields.iter().filter(|(word, _)| *word != "type") {
        let fault = match word.as_str() {
            "description" | "example" => None,
            "$ref" => {
                let place = said.as_str().unwrap().strip_prefix('#').unwrap();
                let named = document.pointer(place).expect("is in the document");
                faults.extend(self::faults(document, named, value));
                None
            }
            "properties" => {
                for (name, of) in said.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        faults.extend(self::faults(document, of, value));
                    }
                }
                None
            }
            "additionalProperties" => {
                let known = |name: &str| schema["properties"].get(name).is_some();
                let others = value
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(name, _)| !known(name));
                for (name, value) in others {
                    match said {
                        Value::Bool(false) => faults.push(format!("`{name}` is not known")),
                        of => faults.extend(self::faults(document, of, value)),
                    }
                }
                None
            }
            "propertyNames" => {
                for name in value.as_object().unwrap().keys() {
                    faults.extend(self::faults(document, said, &Value::from(name.as_str())));
                }
                None
            }
            "items" => {
                for value in value.as_array().unwrap() {
                    faults.extend(self::faults(document, said, value));
                }
                None
            }
            "anyOf" => {
                let mut ways = said.as_array().unwrap().iter();
                let one = ways.any(|way| self::faults(document, way, value).is_empty());
                (!one).then(|| format!("is none of {said}"))
            }
            _ => keyword_fault(word, said, value),
        };
        faults.extend(fault);
    }
    faults
}

/// What a word that looks at the value alone says of it.
fn keyword_fault(word: &str, said: &Value, value: &Value) -> Option<String> {
    let number = || usize::try_from(said.as_u64().unwrap()).unwrap();
    let text = || value.as_str().unwrap();
    let right = match word {
        "type" => match said.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            other => panic!("the type `{other}` is not known here"),
        },
        "required" => {
            let mut names = said.as_array().unwrap().iter();
            names.all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "enum" => said.as_array().unwrap().contains(value),
        "minLength" => text().chars().count() >= number(),
        "maxLength" => text().chars().count() <= number(),
        "maxProperties" => value.as_object().unwrap().len() <= number(),
        "maxItems" => value.as_array().unwrap().len() <= number(),
        "pattern" => matches_pattern(said.as_str().unwrap(), text()),
        "format" => match said.as_str().unwrap() {
            "email" => text()
                .split_once('@')
                .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()),
            "date-time" => text().parse::<Timestamp>().is_ok(),
            other => panic!("the format `{other}` is not known here"),
        },
        other => panic!("`{other}` is not known here"),
    };
    (!right).then(|| format!("{word} {said} does not hold for {value}"))
}

/// The patterns of the document, each by hand.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        r"^[^\u0000-\u001f\u007f-\u009f]*$" => !text.contains(char::is_control),
        "^[A-Za-z0-9_.-]+$" => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            !text.is_empty() && text.chars().all(plain)
        }
        other => panic!("the pattern `{other}` is not known here"),
    }
}
