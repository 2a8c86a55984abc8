//! What is typed and what the environment says, and where a command then works.

use super::{ASKING, Place, PlaceFlags, decide};
use providers::StageName;
use runtime::settings::Settings;

/// A port's flag, a stage, whether a profile and a region are named; the environment; the outcome,
/// or a part of what is said.
type Case = (
    (Option<&'static str>, Option<&'static str>, bool, bool),
    &'static [(&'static str, &'static str)],
    Result<Option<&'static str>, &'static str>,
);

const CASES: &[Case] = &[
    ((None, None, false, false), &[], Ok(None)),
    (
        (None, None, false, false),
        &[("AWS_PAGER", "less")],
        Ok(None),
    ),
    ((None, None, false, false), &[("AWS_PROFILE", "")], Ok(None)),
    (
        (Some("--port"), None, false, false),
        &[("AWS_PROFILE", "grove")],
        Ok(None),
    ),
    (
        (None, Some("local"), false, false),
        &[("AWS_PROFILE", "grove")],
        Ok(None),
    ),
    ((Some("--port"), Some("local"), false, false), &[], Ok(None)),
    (
        (Some("--port"), Some("live"), false, false),
        &[],
        Err("--stage says live"),
    ),
    (
        (Some("--table-port"), None, true, false),
        &[],
        Err("--table-port says"),
    ),
    (
        (Some("--port"), None, false, true),
        &[],
        Err("and --region an account"),
    ),
    (
        (None, Some("local"), true, false),
        &[],
        Err("--stage local says"),
    ),
    (
        (None, Some("test"), false, false),
        &[],
        Ok(Some("orangery-test")),
    ),
    ((None, None, true, false), &[], Err("--profile is set")),
    (
        (None, None, false, false),
        &[("AWS_REGION", "eu-west-3")],
        Err("say which stage"),
    ),
    (
        (None, None, false, false),
        &[("ORANGERY_TABLE", "orangery-test")],
        Ok(Some("orangery-test")),
    ),
    (
        (None, Some("test"), true, true),
        &[("ORANGERY_TABLE", "of-others")],
        Ok(Some("of-others")),
    ),
    (
        (None, Some("live"), false, false),
        &[("ORANGERY_TABLE", "orangery-test")],
        Err("of test"),
    ),
];

#[test]
fn a_command_works_where_it_is_told_and_nowhere_else() {
    for ((port, stage, profile, region), environment, expected) in CASES.iter().copied() {
        let stage = stage.map(|name| StageName::parse(name).unwrap());
        let flags = PlaceFlags {
            port,
            stage: stage.as_ref(),
            profile,
            region,
        };
        let said = decide(flags, &settings(environment));
        match (said, expected) {
            (Ok(Place::LocalStack), Ok(None)) => {}
            (Ok(Place::Deployed { table, .. }), Ok(Some(expected))) => assert_eq!(table, expected),
            (Err(said), Err(part)) => assert!(said.to_string().contains(part), "{said}"),
            (said, _) => panic!("{flags:?} {environment:?}: {said:?}"),
        }
    }
}

#[test]
fn nothing_of_aws_in_the_environment_leads_to_the_local_stack() {
    for name in ASKING {
        let said = decide(PlaceFlags::default(), &settings(&[(name, "set")]));
        assert!(!matches!(said, Ok(Place::LocalStack)), "{name}");
    }
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into())),
    )
}
