//! Fixtures that the command sends too, half a megabyte: only with the feature `samples`, which no
//! function has.

/// Names and bodies of a provider's fixtures: `bodies!["folder": "name", …]`.
#[cfg(any(test, feature = "samples"))]
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

/// Recorded API responses: those for all of a provider's samples, then those for some by name.
#[cfg(any(test, feature = "samples"))]
macro_rules! recorded_responses {
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

#[cfg(not(any(test, feature = "samples")))]
macro_rules! bodies {
    ($($fixture:tt)*) => {
        &[]
    };
}

#[cfg(not(any(test, feature = "samples")))]
macro_rules! recorded_responses {
    ($($fixture:tt)*) => {
        &[]
    };
}

pub(crate) use {bodies, recorded_responses};
