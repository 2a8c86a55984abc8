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

pub(crate) use bodies;
