//! Fixtures that the command sends too.

/// Names and bodies of a provider's fixtures: `bodies!["folder": "name", …]`.
macro_rules! bodies {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/fixtures/", $folder, "/", $name, ".json"
            )),
        )),*]
    };
}

/// What a provider's API answers: to all of its samples, then to some by name.
macro_rules! answers {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[
            (
                "",
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/fixtures/", $folder, "/answers.json"
                )),
            ),
            $((
                $name,
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/fixtures/", $folder, "/", $name, ".answers.json"
                )),
            )),*
        ]
    };
}

pub(crate) use {answers, bodies};
