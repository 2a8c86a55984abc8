//! Fixtures that the command sends too, half a megabyte: with the feature `samples`, which no
//! function has. Without it all of them are none.

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

/// What a provider's API answers: to all of its samples, then to some by name.
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
