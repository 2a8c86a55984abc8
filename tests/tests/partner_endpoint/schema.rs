//! What is held against the document of an interface: values, the file that others read, routes.

use serde_json::Value;
use std::collections::BTreeSet;

/// What in a value is not as its schema has it; nothing where all is. A format that the validator
/// does not know is a failure.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(&root)
        .expect("is a schema");
    let errors = validator.iter_errors(value);
    errors.map(|error| error.to_string()).collect()
}

/// The file that others read is what the types make. `INSTA_UPDATE=always` rewrites it, as it
/// rewrites what insta keeps: insta itself writes its own lines before a text, and people read this
/// file as it is.
pub(crate) fn assert_is_file(function: &str, made: &str) {
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions");
    let path = format!("{functions}/{function}/openapi.json");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, made).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    let mut lines = file.lines().zip(made.lines());
    let first = lines.find(|(file, made)| file != made);
    assert!(file == made, "not as the types make it, first: {first:?}");
}

/// Path and method of every route that the document lists.
pub(crate) fn listed_routes(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        let methods = methods.filter(|name| *name != "parameters");
        methods.map(move |method| (path.clone(), method.clone()))
    });
    routes.collect()
}

/// Path and method of every route below a path that is deployed.
pub(crate) fn deployed_routes(below: &str) -> BTreeSet<(String, String)> {
    let template = include_str!("../../../infra/template.yaml");
    let begin = format!("Path: \"{below}");
    let routes = template.lines().filter(|line| line.contains(&begin));
    let route = |line: &str| {
        let (_, method) = line.split_once("Method: ").unwrap();
        let (_, path) = line.split_once("Path: \"").unwrap();
        let method = method.split(',').next().unwrap().to_lowercase();
        (path.split('"').next().unwrap().to_owned(), method)
    };
    routes.map(route).collect()
}
